package dkim

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// opened is a message open for verifying: its header in memory, its body where
// it lies.
type opened struct {
	msg    mail.Blob
	r      mail.BlobReader
	part   *mime.Part
	header []byte // the octets from part.Off to part.Body
	size   int64
}

// open reads the header, whose size was looked at before. The caller closes r.
func open(msg mail.Blob, p *mime.Part) (opened, error) {
	r, err := msg.Open()
	if err != nil {
		return opened{}, err
	}
	l := opened{msg: msg, r: r, part: p, header: make([]byte, p.Body-p.Off), size: msg.Size()}
	if _, err := r.ReadAt(l.header, p.Off); err != nil && err != io.EOF {
		r.Close()
		return opened{}, err
	}
	return l, nil
}

// of is the octets of a field.
func (l opened) of(f mime.Field) []byte { return l.header[f.Off-l.part.Off : f.End-l.part.Off] }

// prepared is what the library needs of the message for one signature: that
// signature on top, the fields that it signs in their order, and the body. What
// is left out is what the library would read and not hash. A signature does not
// sign itself, so that it verifies on top as it does in its own place.
func (l opened) prepared(s signature) *prepared {
	head := make([]byte, 0, 1024)
	head = appendField(head, l.of(s.field))
	for _, f := range l.part.Fields {
		if f.Off != s.field.Off && slices.Contains(s.signed, strings.ToLower(strings.TrimSpace(f.Name))) {
			head = appendField(head, l.of(f))
		}
	}
	return &prepared{append(head, "\r\n"...), io.NewSectionReader(l.r, l.part.Body, l.size-l.part.Body)}
}

// appendField adds a field, and the line end that the last octets of a message
// may lack.
func appendField(head, field []byte) []byte {
	head = append(head, field...)
	if !bytes.HasSuffix(field, []byte("\n")) {
		head = append(head, "\r\n"...)
	}
	return head
}

// prepared reads a header, and then a body. The library copies the body to its
// hash, for which it comes in large pieces: WriteTo.
type prepared struct {
	head []byte
	body *io.SectionReader
}

// Read reads of the header alone until it has ended.
func (p *prepared) Read(b []byte) (int, error) {
	if len(p.head) == 0 {
		return p.body.Read(b)
	}
	n := copy(b, p.head)
	p.head = p.head[n:]
	return n, nil
}

// pieces are buffers for bodies.
var pieces = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// readers are what the library wants to read with, so that it makes none.
var readers = sync.Pool{New: func() any { return bufio.NewReader(nil) }}

// WriteTo writes what is left.
func (p *prepared) WriteTo(w io.Writer) (n int64, err error) {
	if len(p.head) > 0 {
		m, err := w.Write(p.head)
		p.head, n = nil, int64(m)
		if err != nil {
			return n, err
		}
	}
	buf := pieces.Get().(*[32 << 10]byte)
	defer pieces.Put(buf)
	more, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{p.body}, buf[:])
	return n + more, err
}
