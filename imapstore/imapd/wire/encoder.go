package wire

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// writeBuffer holds about one record of TLS.
const writeBuffer = 16 << 10

var buffers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, writeBuffer) }}

// Encoder writes responses. It borrows a buffer at the first octet and gives
// it back with Flush, so that an idle session has none. A failure of the
// connection sticks, and Err tells it.
type Encoder struct {
	// UTF8 is set once the client takes UTF-8 in quoted strings (RFC 9051, RFC 6855).
	UTF8 bool

	out io.Writer
	buf *bufio.Writer
	err error
}

// NewEncoder writes to out.
func NewEncoder(out io.Writer) *Encoder { return &Encoder{out: out} }

func (e *Encoder) writer() *bufio.Writer {
	if e.buf == nil {
		e.buf = buffers.Get().(*bufio.Writer)
		e.buf.Reset(e.out)
	}
	return e.buf
}

// Write takes octets as they are.
func (e *Encoder) Write(p []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	n, err := e.writer().Write(p)
	e.note(err)
	return n, err
}

func (e *Encoder) note(err error) {
	if e.err == nil {
		e.err = err
	}
}

// Err is the first failure of the connection.
func (e *Encoder) Err() error { return e.err }

// Raw writes what needs no quoting.
func (e *Encoder) Raw(parts ...string) {
	if e.err != nil {
		return
	}
	w := e.writer()
	for _, p := range parts {
		_, err := w.WriteString(p)
		e.note(err)
	}
}

// Line is Raw and a CRLF. A part with a line end in it would be a response of
// its own: line ends become spaces.
func (e *Encoder) Line(parts ...string) {
	for _, p := range parts {
		e.Raw(oneLine(p))
	}
	e.Raw("\r\n")
}

func oneLine(s string) string {
	if !strings.ContainsAny(s, "\r\n\x00") {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == '\r' || r == '\n' || r == 0 {
			return ' '
		}
		return r
	}, s)
}

// Uint writes a number.
func (e *Encoder) Uint(n uint64) {
	var b [20]byte
	e.Write(strconv.AppendUint(b[:0], n, 10))
}

// String writes s as a quoted string, or as a literal where it cannot be one.
func (e *Encoder) String(s string) {
	if !e.quotable(s) {
		s = strings.ReplaceAll(s, "\x00", "?") // no literal holds NUL, RFC 9051 section 4.3
		e.Raw("{", strconv.Itoa(len(s)), "}\r\n", s)
		return
	}
	e.Raw(Quote(s))
}

// maxQuoted keeps lines of responses short of what old clients take.
const maxQuoted = 1000

func (e *Encoder) quotable(s string) bool {
	if len(s) > maxQuoted {
		return false
	}
	high := false
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] == 0x7f {
			return false
		}
		high = high || s[i] >= 0x80
	}
	return !high || e.UTF8 && utf8.ValidString(s)
}

// Quote puts s into quotes; it has no line ends.
func Quote(s string) string {
	if !strings.ContainsAny(s, `"\`) {
		return `"` + s + `"`
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// NString writes NIL for the empty string.
func (e *Encoder) NString(s string) {
	if s == "" {
		e.Raw("NIL")
		return
	}
	e.String(s)
}

// Mailbox writes the name of a mailbox: in modified UTF-7 unless UTF8.
func (e *Encoder) Mailbox(name string) {
	if !e.UTF8 {
		name = EncodeUTF7(name)
	}
	e.String(name)
}

// Literal writes exactly size octets of r as a literal ("~" before it for a
// literal8). If r has fewer the connection cannot go on, and Err tells why.
func (e *Encoder) Literal(size int64, r io.Reader, binary bool) {
	if binary {
		e.Raw("~")
	}
	e.Raw("{", strconv.FormatInt(size, 10), "}\r\n")
	if e.err != nil {
		return
	}
	n, err := io.Copy(e.writer(), io.LimitReader(r, size))
	if err == nil && n < size {
		err = fmt.Errorf("imap: a message ended %d octets early: %w", size-n, io.ErrUnexpectedEOF)
	}
	e.note(err)
}

// Flush sends what was written and gives the buffer back.
func (e *Encoder) Flush() error {
	if e.buf == nil {
		return e.err
	}
	if e.err == nil {
		e.note(e.buf.Flush())
	}
	e.buf.Reset(nil)
	buffers.Put(e.buf)
	e.buf = nil
	return e.err
}
