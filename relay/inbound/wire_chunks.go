package inbound

import (
	"bytes"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// chunk is one of BDAT, RFC 3030 section 2.
type chunk struct {
	left int64 // octets that were not read yet
	last bool
}

// errAborted is what readData says when a command took the place of the next
// chunk; that command comes next.
var errAborted = errors.New("the message was given up for another command")

// bdat begins a message in chunks. go-smtp hears DATA, since to it the octets
// are the wire's affair anyway; the commands for the chunks to come are read by
// readChunks. If go-smtp refuses, the chunk is skipped: it follows the command
// all the same, and is never taken for commands.
func (w *wire) bdat(arg string) string {
	if !w.parseChunk(arg) {
		return ""
	}
	return "DATA"
}

// parseChunk reads the argument of BDAT. Where it cannot be understood nobody
// knows how many octets follow, and the connection ends.
func (w *wire) parseChunk(arg string) bool {
	size, rest, _ := strings.Cut(arg, " ")
	rest = strings.TrimSpace(rest)
	n, err := strconv.ParseUint(size, 10, 62)
	if errors.Is(err, strconv.ErrRange) {
		n, err = math.MaxInt64/2, nil // too large whatever the limit
	}
	if err != nil || rest != "" && !strings.EqualFold(rest, "LAST") {
		w.answer(501, "5.5.4", "Syntax: BDAT size [LAST]; closing the connection")
		w.closed = true
		return false
	}
	w.chunk = chunk{left: int64(n), last: rest != ""}
	return true
}

// readChunks is readData behind BDAT. The rules for line ends are those of DATA,
// dots apart, and hold across chunks. A message that grows too large is refused
// at the chunk that makes it so; what else is wrong is told at the end.
func (w *wire) readChunks(max int64, sink func([]byte)) error {
	w.data = dataBroken
	binary := w.talk.binary()
	dec := dotDecoder{repair: w.cfg.RepairLines && !binary, chunked: true, binary: binary, out: w.decoded}
	defer func() { w.decoded = dec.out[:0] }()
	last := deadlineIn(dataDeadline)
	for {
		if w.size+w.chunk.left > max {
			return w.tooLarge()
		}
		size := w.chunk.left
		if err := w.readChunk(&dec, last, max, sink); err != nil {
			return connError{err}
		}
		if w.chunk.last {
			w.take(dec.finish(), &dec, max, sink)
			w.data, w.idle = dataDone, 0
			return w.verdict(&dec, max)
		}
		if size > 0 || !w.idling() {
			w.answer(250, "2.0.0", strconv.FormatInt(size, 10)+" octets received")
		}
		if err := w.nextChunk(last); err != nil {
			return err
		}
	}
}

// tooLarge refuses a chunk; one that is far too large ends the connection.
func (w *wire) tooLarge() error {
	if err := w.skipChunk(); err == nil && !w.closed {
		w.data = dataDone
	}
	return errTooLarge
}

func (w *wire) readChunk(dec *dotDecoder, last time.Time, max int64, sink func([]byte)) error {
	for w.chunk.left > 0 {
		if w.r == w.n {
			if err := w.fill(false, until(w.cfg.DataTime, last)); err != nil {
				return err
			}
		}
		out, used, _ := dec.feed(w.buf[w.r:min(int64(w.n), int64(w.r)+w.chunk.left)])
		w.r += used
		w.chunk.left -= int64(used)
		w.take(out, dec, max, sink)
	}
	return nil
}

// nextChunk reads commands up to the next BDAT. Those that end a transaction end
// this one: errAborted. Others have to wait (RFC 3030 section 2: no DATA among
// BDAT).
func (w *wire) nextChunk(last time.Time) error {
	for !w.closed {
		line, err := w.readLine(w.cfg.MaxLine, last)
		if err != nil {
			if w.lineError(err); w.closed {
				w.mute = true // what there was to say was said
				return connError{err}
			}
			continue
		}
		verb, arg, _ := strings.Cut(string(line), " ")
		switch w.verb = strings.ToUpper(verb); w.verb {
		case "BDAT":
			if w.parseChunk(strings.TrimSpace(arg)) {
				return nil
			}
		case "RSET", "QUIT", "HELO", "EHLO", "LHLO":
			w.data, w.mute, w.again = dataDone, true, bytes.Clone(line)
			return errAborted
		default:
			w.betweenChunks(line)
		}
	}
	w.mute = true
	return connError{io.EOF}
}

// betweenChunks answers a command that leaves the message as it is.
func (w *wire) betweenChunks(line []byte) {
	switch {
	case badOctet(string(line)) != 0:
		w.answer(501, "5.5.2", "The command has characters that do not belong there")
	case w.verb == "NOOP":
		if !w.idling() {
			w.answer(250, "2.0.0", "OK")
		}
	case slices.Contains([]string{"MAIL", "RCPT", "DATA", "AUTH", "STARTTLS", "VRFY", "EXPN", "HELP", "ETRN", "XCLIENT"}, w.verb):
		w.answer(503, "5.5.1", "A message has begun: BDAT goes on with it, RSET ends it")
	default:
		w.answer(500, "5.5.1", "Unknown command")
	}
}

// skipChunk reads what is left of a chunk and forgets it. Far too much is not
// read: the connection ends.
func (w *wire) skipChunk() error {
	if w.chunk.left > 2*w.cfg.MaxSize+drainData {
		w.chunk.left, w.closed = 0, true
		return io.EOF
	}
	for w.chunk.left > 0 {
		if w.r == w.n {
			if err := w.fill(false, until(w.cfg.DataTime, time.Time{})); err != nil {
				return err
			}
		}
		n := min(int64(w.n-w.r), w.chunk.left)
		w.r += int(n)
		w.chunk.left -= n
	}
	return nil
}
