// Package wire reads and writes the syntax of IMAP (RFC 9051 section 9, RFC
// 3501 section 9): tokens, strings, literals, sets, dates and mailbox names. It
// knows no command.
package wire

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// Error is what a client sent that cannot be taken. The rest of the command is
// to be drained, unless Fatal: then nobody knows where the next one begins (or
// it is too far off) and the connection has to end.
type Error struct {
	Status string // "BAD" or "NO"
	Code   string // a response code without brackets, or ""
	Text   string
	Fatal  bool
}

func (e *Error) Error() string { return "imap: " + e.Text }

// Limits bound one command.
type Limits struct {
	Line    int   // octets of a command with all its literals, APPEND's apart
	Literal int64 // octets of one literal, APPEND's apart
	Drain   int64 // octets of a refused literal that are read and thrown away; beyond, the connection ends
}

// DefaultLimits are for clients that have logged in. The long lines are sets
// of UIDs.
var DefaultLimits = Limits{Line: 64 << 10, Literal: 4 << 10, Drain: 1 << 20}

// Decoder reads commands. Its methods read one token each; the first failure
// sticks, what follows does nothing, and Err tells it. A command is over when
// End or Drain has returned.
type Decoder struct {
	// Continue asks the client for a synchronising literal, or the next line of a
	// command ("+ ..."), and flushes.
	Continue func() error

	r    *bufio.Reader
	lim  Limits
	used int       // octets of this command
	lit  io.Reader // what is unread of an open literal
	done bool      // the command's last octet was read
	err  error
}

// readBuffer is small: every idle session has one.
const readBuffer = 2048

// NewDecoder reads from r.
func NewDecoder(r io.Reader, lim Limits) *Decoder {
	return &Decoder{r: bufio.NewReaderSize(r, readBuffer), lim: lim}
}

// SetLimits changes the limits from now on.
func (d *Decoder) SetLimits(l Limits) { d.lim = l }

// Begin starts a command.
func (d *Decoder) Begin() { d.used, d.lit, d.done, d.err = 0, nil, false, nil }

// Err is the first failure of this command: an *Error, or that of the reader.
func (d *Decoder) Err() error { return d.err }

// Buffered tells whether more of the client's octets have arrived already.
func (d *Decoder) Buffered() bool { return d.r.Buffered() > 0 }

// Bad refuses what was read, unless something failed before.
func (d *Decoder) Bad(format string, args ...any) {
	d.fail(&Error{Status: "BAD", Text: fmt.Sprintf(format, args...)})
}

func (d *Decoder) fail(err error) {
	if d.err == nil {
		d.err = err
	}
}

// peek is the next octet, or 0 after a failure. A NUL is a failure.
func (d *Decoder) peek() byte {
	if d.err != nil || d.done {
		return 0
	}
	b, err := d.r.Peek(1)
	if err != nil {
		d.fail(err)
		return 0
	}
	if b[0] == 0 {
		d.Bad("a NUL octet stands in the command")
		return 0
	}
	return b[0]
}

// skip reads the octet that peek saw.
func (d *Decoder) skip() {
	if d.err != nil {
		return
	}
	d.r.Discard(1)
	d.count(1)
}

func (d *Decoder) count(n int) {
	if d.used += n; d.used > d.lim.Line {
		d.fail(&Error{Status: "BAD", Code: "TOOBIG", Fatal: true,
			Text: fmt.Sprintf("the command is longer than %d octets", d.lim.Line)})
	}
}

// Is tells whether the next octet is c, without reading it.
func (d *Decoder) Is(c byte) bool { return d.peek() == c }

// AtEnd tells whether the line ends here.
func (d *Decoder) AtEnd() bool { return d.err != nil || d.done || d.peek() == '\r' }

// Take reads c if it stands there.
func (d *Decoder) Take(c byte) bool {
	if d.peek() != c {
		return false
	}
	d.skip()
	return d.err == nil
}

// Expect reads c or fails.
func (d *Decoder) Expect(c byte) {
	if !d.Take(c) {
		d.Bad("%q is missing", string(c))
	}
}

// SP reads one space.
func (d *Decoder) SP() {
	if !d.Take(' ') {
		d.Bad("a space is missing")
	}
}

// End reads the CRLF of the command and tells whether all of it was right.
func (d *Decoder) End() bool {
	if d.err == nil && d.peek() != '\r' {
		d.Bad("the command goes on where it should end")
	}
	d.crlf()
	if d.err == nil {
		d.done = true
	}
	return d.err == nil
}

// crlf reads a CRLF; nothing else ends a line.
func (d *Decoder) crlf() {
	d.Expect('\r')
	d.Expect('\n')
}

// List reads "(" item *(SP item) ")", or "()".
func (d *Decoder) List(item func()) {
	d.Expect('(')
	if d.Take(')') {
		return
	}
	for d.err == nil {
		item()
		if d.Take(')') {
			return
		}
		d.SP()
	}
}

// Drain reads what is left of the command and throws it away, so that the next
// one is read from where it begins. It returns an error if there is no telling
// where that is.
func (d *Decoder) Drain() error {
	var e *Error
	if d.err != nil && (!errors.As(d.err, &e) || e.Fatal) {
		return d.err
	}
	if d.done {
		return nil
	}
	if d.lit != nil {
		if _, err := io.Copy(io.Discard, d.lit); err != nil {
			return err
		}
		d.lit = nil
	}
	return d.drainLines()
}

// Refuse is Bad for what is well written and cannot be done: NO, with a code.
func (d *Decoder) Refuse(code, text string) {
	d.fail(&Error{Status: "NO", Code: code, Text: text})
}
