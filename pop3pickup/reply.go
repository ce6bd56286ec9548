package pop3pickup

import (
	"fmt"
	"time"
)

var noDeadline time.Time

// ok writes a positive reply.
func (ss *session) ok(format string, args ...any) {
	fmt.Fprintf(ss.w, "+OK "+format+"\r\n", args...)
}

// err writes a negative reply, with a response code (RFC 2449 section 8, RFC
// 3206) or none.
func (ss *session) err(code, text string) {
	if code != "" {
		text = "[" + code + "] " + text
	}
	fmt.Fprintf(ss.w, "-ERR %s\r\n", text)
}

// fail is err for what the client did wrong; too much of it ends the session.
func (ss *session) fail(code, text string) {
	ss.err(code, text)
	if ss.errors++; ss.errors >= maxErrors {
		ss.reason = "too many errors"
		ss.state = ended
	}
}

// lines writes the lines of a multi-line response that need no dots.
func (ss *session) line(format string, args ...any) {
	fmt.Fprintf(ss.w, format+"\r\n", args...)
}

func (ss *session) endLines() { ss.w.WriteString(".\r\n") }
