package inbound

import (
	"errors"
	"os"
	"time"
)

// Most connections say nothing most of the time, and go-smtp's part of one is
// larger than all that we have of it: two buffers and a goroutine. So go-smtp is
// there from the first line that it is to see, goes when the client is quiet
// between two messages, and comes again with its next line.

// restAfter is how long a client is quiet before go-smtp goes.
const restAfter = 2 * time.Second

// introduction is what go-smtp hears first when it comes again to a client that
// has said EHLO; what it answers is not for the client.
var introduction = []byte("EHLO x\r\n")

// rest waits without go-smtp for a line that it is to see; false at the end of the
// connection. After STARTTLS and XCLIENT go-smtp knows nothing of what was said
// before (RFC 3207 section 4.2).
func (w *wire) rest() bool {
	w.asleep = true
	defer func() { w.asleep, w.tired = false, false }()
	for {
		if w.restart {
			w.restart, w.greeted, w.authed = false, false, false
		}
		switch err := w.next(); {
		case err == nil && w.greeted:
			w.pending, w.then, w.mute = introduction, w.pending, true
			return true
		case err == nil:
			return true
		case !w.restart:
			w.flush()
			return false
		}
	}
}

// quiet waits a while for the client, where go-smtp need not be there, and tells
// whether it was in vain. Errors are met again by who reads next.
func (w *wire) quiet() bool {
	if w.asleep || w.r < w.n || w.sasl || w.again != nil || w.chunk.left > 0 || w.cfg.Idle <= w.cfg.restAfter || w.talk.open() {
		return false
	}
	w.since = time.Now()
	err := w.fill(true, w.since.Add(w.cfg.restAfter))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	w.asleep, w.tired = true, true
	w.line, w.room, w.decoded, w.engine, w.before, w.out = nil, nil, nil, nil, nil, nil
	w.talk.unburden()
	return true
}

// introduced takes the line that waits behind the introduction.
func (w *wire) introduced() {
	if len(w.pending) == 0 && w.then != nil {
		w.pending, w.then, w.mute = w.then, nil, false
	}
}
