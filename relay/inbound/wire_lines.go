package inbound

import (
	"bytes"
	"time"
)

// readLine reads a command line, without its CRLF. It is good until the next one
// is read. The deadline, Idle from now but not beyond last (where that is set), is
// for the whole line, however slowly it comes. Between chunks of a message drain
// does not interrupt.
func (w *wire) readLine(limit int, last time.Time) ([]byte, error) {
	since := w.since
	w.since = time.Time{}
	if end := bytes.IndexByte(w.buf[w.r:w.n], '\n'); 0 <= end && end < limit+2 { // most lines are here, whole
		line := w.buf[w.r : w.r+end+1]
		w.r += len(line)
		return lineEnd(line)
	}
	if since.IsZero() {
		since = time.Now()
	}
	return w.gather(limit, earlier(since.Add(w.cfg.Idle), last))
}

// gather is readLine for lines that come in pieces or are too long.
func (w *wire) gather(limit int, deadline time.Time) ([]byte, error) {
	w.line = w.line[:0]
	swallowed := 0
	for {
		if w.r == w.n {
			if err := w.fill(w.data == noData, deadline); err != nil {
				return nil, err
			}
		}
		chunk := w.buf[w.r:w.n]
		end := bytes.IndexByte(chunk, '\n')
		if end >= 0 {
			chunk = chunk[:end+1]
		}
		w.r += len(chunk)
		if swallowed > 0 || len(w.line)+len(chunk) > limit+2 {
			if swallowed += len(chunk); swallowed > maxSwallow {
				return nil, errSwallow
			}
		} else {
			w.line = append(w.line, chunk...)
		}
		switch {
		case end >= 0 && swallowed > 0:
			return nil, errLongLine
		case end >= 0:
			return lineEnd(w.line)
		}
	}
}

func lineEnd(line []byte) ([]byte, error) {
	if !bytes.HasSuffix(line, []byte("\r\n")) {
		return nil, errBareLF
	}
	return line[:len(line)-2], nil
}

// until is a deadline for what is to come: d from now, but not beyond last, where
// that is set. Deadlines are of the machine's clock.
func until(d time.Duration, last time.Time) time.Time { return earlier(time.Now().Add(d), last) }

func earlier(t, last time.Time) time.Time {
	if last.IsZero() || t.Before(last) {
		return t
	}
	return last
}
