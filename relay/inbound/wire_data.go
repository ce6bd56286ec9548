package inbound

import (
	"context"
	"crypto/tls"
	"errors"
	"time"
)

// Errors of readData that the client can be told.
var (
	errTooLarge  = errors.New("the message is larger than the limit")
	errStrayLine = errors.New("the message has a bare CR or LF")
	errNUL       = errors.New("the message has a NUL")
)

// connError is an error of reading from the client.
type connError struct{ error }

// Unwrap gives the network's own error.
func (e connError) Unwrap() error { return e.error }

func isConnError(err error) bool {
	var c connError
	return errors.As(err, &c)
}

func deadlineIn(d time.Duration) time.Time { return time.Now().Add(d) }

// readData reads the data behind DATA or BDAT to its end and gives sink the message's
// octets, no more than max of them. What is wrong with them is told when all
// was read, because only then can the client listen. Any other error than those
// above means that the end was not reached: the connection is done for.
func (w *wire) readData(max int64, sink func([]byte)) error {
	if w.data != dataOpen {
		return errors.New("no data to be read")
	}
	if w.verb == "BDAT" {
		return w.readChunks(max, sink)
	}
	w.data = dataBroken
	dec := dotDecoder{repair: w.cfg.RepairLines, out: w.decoded}
	defer func() { w.decoded = dec.out[:0] }()
	var last time.Time // of all of it, from when it has to be waited for
	for done := false; !done; {
		if w.r == w.n {
			if last.IsZero() {
				last = deadlineIn(dataDeadline)
			}
			if err := w.fill(false, until(w.cfg.DataTime, last)); err != nil {
				return connError{err}
			}
		}
		var out []byte
		var used int
		out, used, done = dec.feed(w.buf[w.r:w.n])
		w.r += used
		if w.take(out, &dec, max, sink); w.size > 2*max+drainData {
			return errTooLarge // the state stays dataBroken: the connection ends
		}
	}
	w.data = dataDone
	w.idle = 0
	return w.verdict(&dec, max)
}

// take passes octets of the message on, as long as it may yet be taken: there are
// not too many, and none that do not belong there.
func (w *wire) take(out []byte, dec *dotDecoder, max int64, sink func([]byte)) {
	if w.size += int64(len(out)); w.size <= max && len(out) > 0 && !dec.spoilt() {
		sink(out)
	}
}

func (w *wire) verdict(dec *dotDecoder, max int64) error {
	switch { // of BINARYMIME it is looked at when the message is parsed what stands where (RFC 3030 section 3)
	case dec.nul && !dec.binary:
		return errNUL
	case dec.spoilt():
		return errStrayLine
	case w.size > max:
		return errTooLarge
	}
	return nil
}

// startTLS begins TLS, RFC 3207. What the client sent behind the command, in
// the clear, is thrown away: somebody else may have put it there.
func (w *wire) startTLS(arg string) {
	switch {
	case w.cfg.TLS == nil:
		w.answer(502, "5.5.1", "STARTTLS is not offered here")
	case w.secure:
		w.answer(503, "5.5.1", "TLS is on already")
	case arg != "":
		w.answer(501, "5.5.4", "STARTTLS takes no argument")
	default:
		w.answer(220, "2.0.0", "Ready to start TLS")
		if w.flush() != nil {
			return
		}
		w.r, w.n = 0, 0
		if w.handshake() == nil {
			w.restart = true
		}
	}
}

// handshake puts TLS over the connection.
func (w *wire) handshake() error {
	ctx, cancel := context.WithTimeout(context.Background(), min(tlsTime, w.cfg.Idle))
	defer cancel()
	conn := tls.Server(w.conn, w.cfg.TLS)
	w.conn.SetDeadline(time.Time{}) // the context's holds
	if err := conn.HandshakeContext(ctx); err != nil {
		countTLS("", "failed")
		w.closed = true
		return err
	}
	w.mu.Lock()
	w.conn = conn
	w.mu.Unlock()
	w.secure = true
	state := conn.ConnectionState()
	countTLS(tls.VersionName(state.Version), "ok")
	w.talk.secured(state)
	return nil
}
