package wire

import (
	"fmt"
	"io"
)

// The one policy for literals (RFC 9051 section 4.3, RFC 7888), wherever they
// stand:
//
//   - within the limit: taken, a synchronising one after "+ OK";
//   - too big and synchronising: refused; the client waits for our answer and
//     does not send it, so the command is over;
//   - too big and non-synchronising: it is on its way, so it is drained up to
//     Limits.Drain; beyond that the connection ends;
//   - of a size that is right, but not wanted (see Stream): drained whole.

// header is what announces a literal.
type header struct {
	size   int64
	sync   bool
	binary bool // literal8, RFC 3516
}

// literalHeader reads "{" number ["+"] "}" CRLF, with the "~" of a literal8.
func (d *Decoder) literalHeader() (h header) {
	h.binary = d.Take('~')
	d.Expect('{')
	h.size = int64(d.Number64())
	h.sync = !d.Take('+')
	d.Expect('}')
	d.crlf()
	return h
}

// admit applies the policy and tells whether the literal's octets are next.
func (d *Decoder) admit(h header, max int64) bool {
	if d.err != nil {
		return false
	}
	if h.size <= max {
		if h.sync {
			if err := d.Continue(); err != nil {
				d.fail(err)
			}
		}
		return d.err == nil
	}
	d.refuse(h, d.lim.Drain, &Error{Status: "NO", Code: "TOOBIG", Text: fmt.Sprintf("a literal here has at most %d octets", max)})
	return false
}

// refuse answers a literal with e; drain is how much of it is read in vain.
func (d *Decoder) refuse(h header, drain int64, e *Error) {
	switch {
	case h.sync:
		d.done = true
	case h.size > drain:
		e.Fatal = true
	default:
		d.lit = io.LimitReader(d.r, h.size)
	}
	d.fail(e)
}

// literal reads a literal as a string.
func (d *Decoder) literal() string {
	h := d.literalHeader()
	if !d.admit(h, d.lim.Literal) {
		return ""
	}
	b := make([]byte, h.size)
	if _, err := io.ReadFull(d.r, b); err != nil {
		d.fail(err)
		return ""
	}
	for _, c := range b {
		if c == 0 && !h.binary {
			d.Bad("a NUL octet stands in a literal")
			return ""
		}
	}
	d.count(len(b))
	return string(b)
}

// Stream is a literal that is read as it comes.
type Stream struct {
	Size   int64
	Binary bool // a literal8: it may hold NUL
	io.Reader
}

// Stream reads the header of a big literal; accept (which may be nil) can
// refuse it before the client is asked to send it. The caller reads the octets
// before it goes on with the command; what it leaves is skipped by Drain.
func (d *Decoder) Stream(max int64, accept func() *Error) *Stream {
	h := d.literalHeader()
	if d.err == nil && accept != nil {
		if e := accept(); e != nil {
			d.refuse(h, max, e) // its size is right: the client is to hear e, not to lose the connection
			return nil
		}
	}
	if !d.admit(h, max) {
		return nil
	}
	d.lit = &streamReader{d: d, left: h.size}
	return &Stream{Size: h.size, Binary: h.binary, Reader: d.lit}
}

// streamReader reads a literal and closes it behind its last octet.
type streamReader struct {
	d    *Decoder
	left int64
}

func (s *streamReader) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > s.left {
		p = p[:s.left]
	}
	n, err := s.d.r.Read(p)
	s.left -= int64(n)
	if err == io.EOF && s.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && s.left > 0 {
		s.d.fail(err)
	}
	return n, err
}

// drainLines reads to the end of the command, over the literals in it.
func (d *Decoder) drainLines() error {
	for total := int64(0); ; {
		h, n, err := d.drainLine()
		if err != nil {
			return err
		}
		total += n
		if h == nil || h.sync { // a client that waits gets its tagged answer
			d.done = true
			return nil
		}
		if total += h.size; total > d.lim.Drain {
			return &Error{Status: "BAD", Code: "TOOBIG", Text: "the refused command is too long to skip", Fatal: true}
		}
		if _, err := io.CopyN(io.Discard, d.r, h.size); err != nil {
			return err
		}
	}
}

// drainLine reads to the next CRLF and returns the literal that is announced
// before it, if there is one.
func (d *Decoder) drainLine() (*header, int64, error) {
	var tail [24]byte // room for {18446744073709551615+}
	for n := int64(1); ; n++ {
		c, err := d.r.ReadByte()
		if err != nil {
			return nil, n, err
		}
		copy(tail[:], tail[1:])
		tail[len(tail)-1] = c
		if c == '\n' && tail[len(tail)-2] == '\r' {
			return announced(tail[:len(tail)-2]), n, nil
		}
		if n > d.lim.Drain {
			return nil, n, &Error{Status: "BAD", Code: "TOOBIG", Text: "the refused command is too long to skip", Fatal: true}
		}
	}
}

// announced finds "{n}" or "{n+}" at the end of a line.
func announced(tail []byte) *header {
	i := len(tail) - 1
	if i < 0 || tail[i] != '}' {
		return nil
	}
	i--
	h := &header{sync: true}
	if i >= 0 && tail[i] == '+' {
		h.sync = false
		i--
	}
	end := i
	for i >= 0 && tail[i] >= '0' && tail[i] <= '9' {
		i--
	}
	if i < 0 || i == end || tail[i] != '{' {
		return nil
	}
	for _, c := range tail[i+1 : end+1] {
		if h.size > 1<<58 {
			break // more than anybody drains
		}
		h.size = h.size*10 + int64(c-'0')
	}
	return h
}
