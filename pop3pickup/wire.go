package pop3pickup

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// Limits of lines, in octets with CRLF: of commands (RFC 2449 section 4), and of
// what follows AUTH (RFC 4954 section 4 asks for that much).
const (
	maxCommand  = 255
	maxResponse = 12288
	// maxSkipped is how much of a line that is too long is read over before the
	// connection is given up.
	maxSkipped = 64 << 10
)

var (
	errLineLong   = errors.New("the line is too long")
	errLineEnd    = errors.New("lines end in CRLF and hold no other CR, LF or NUL")
	errLineEndles = errors.New("pop3: a line without an end")
)

// readLine reads one line of up to max octets with its CRLF, and gives it
// without. After errLineLong and errLineEnd the reader stands at the next line;
// every other error is the end.
func readLine(r *bufio.Reader, max int) ([]byte, error) {
	var line []byte
	size := 0
	for {
		part, err := r.ReadSlice('\n')
		if size += len(part); size <= max {
			line = append(line, part...)
		}
		switch {
		case err == nil && size > max:
			return nil, errLineLong
		case err == nil:
			return checkLine(line)
		case err != bufio.ErrBufferFull:
			return nil, err
		case size > maxSkipped:
			return nil, errLineEndles
		}
	}
}

func checkLine(line []byte) ([]byte, error) {
	line = line[:len(line)-1]
	if n := len(line) - 1; n >= 0 && line[n] == '\r' && !bytes.ContainsAny(line[:n], "\r\x00") {
		return line[:n], nil
	}
	return nil, errLineEnd
}

// dotWriter writes the octets of a message as a multi-line response (RFC 1939
// section 3): lines that begin with "." get another, a bare LF becomes CRLF (it
// could be taken for the end of a line by the client), and Close ends the last
// line and the response.
type dotWriter struct {
	w    *bufio.Writer
	last byte // the last octet written, '\n' at the start
}

func newDotWriter(w *bufio.Writer) *dotWriter { return &dotWriter{w: w, last: '\n'} }

func (d *dotWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		if d.last == '\n' && p[0] == '.' {
			d.w.WriteByte('.')
		}
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			d.last = p[len(p)-1]
			_, err := d.w.Write(p)
			return n, err
		}
		if i > 0 {
			d.last = p[i-1]
		}
		d.w.Write(p[:i])
		if d.last != '\r' {
			d.w.WriteByte('\r')
		}
		d.last = '\n'
		if err := d.w.WriteByte('\n'); err != nil {
			return 0, err
		}
		p = p[i+1:]
	}
	return n, nil
}

func (d *dotWriter) Close() error {
	switch d.last {
	case '\n':
	case '\r':
		d.w.WriteByte('\n')
	default:
		d.w.WriteString("\r\n")
	}
	_, err := d.w.WriteString(".\r\n")
	return err
}

// topReader reads the header of a message, the empty line and the first lines
// of the body (RFC 1939 section 7).
type topReader struct {
	r     *bufio.Reader
	lines uint64 // of the body, still to come
	body  bool
	rest  []byte
	start bool // the next part begins a line
	all   bool // the end of the message was reached
}

func newTopReader(r io.Reader, lines uint64) *topReader {
	return &topReader{r: bufio.NewReader(r), lines: lines, start: true}
}

func (t *topReader) Read(p []byte) (int, error) {
	if len(t.rest) == 0 {
		if err := t.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, t.rest)
	t.rest = t.rest[n:]
	return n, nil
}

// next reads a line, or a part of a long one.
func (t *topReader) next() error {
	if t.body && t.lines == 0 {
		_, err := t.r.Peek(1)
		t.all = err == io.EOF
		return io.EOF
	}
	part, err := t.r.ReadSlice('\n')
	if len(part) == 0 {
		t.all = err == io.EOF
		return err
	}
	whole := part[len(part)-1] == '\n'
	switch {
	case t.body && whole:
		t.lines--
	case t.start && (string(part) == "\r\n" || string(part) == "\n"):
		t.body = true
	}
	t.start, t.rest = whole, part
	return nil
}
