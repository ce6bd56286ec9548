package mime

import (
	"encoding/base64"
	"errors"
	"io"
	"strings"

	"github.com/forepost/forepost/relay/mail"
)

// ErrSigned is what AsLines says of a message whose signature covers a binary
// part as it is (multipart/signed, RFC 1847 section 2.1).
var ErrSigned = errors.New("mime: a binary part is signed and cannot be encoded")

// AsLines gives a message with binary parts (BODY=BINARYMIME, RFC 3030 section 3)
// the form in which it goes to those who want lines: such parts in base64, all
// else as it is. Contents are encoded while they are read, nothing is kept. The
// blob must be good as long as what is returned.
func AsLines(blob mail.Blob) (mail.Blob, error) {
	root, err := Parse(blob, Limits{})
	if err != nil {
		return nil, err
	}
	l := &lined{blob: blob}
	if err := l.part(root, false); err != nil {
		return nil, err
	}
	l.copy(blob.Size())
	return l, nil
}

// lined is a message as AsLines gives it: runs of the original, of text in place
// of fields, and of octets in base64.
type lined struct {
	blob mail.Blob
	at   int64 // of the original, so far
	size int64
	runs []run
}

type run struct {
	start    int64 // in the new message
	size     int64 // there
	text     string
	off, len int64 // of the original, where there is no text
	base64   bool
}

// part takes up a part and those inside of it, in the order of the message.
func (l *lined) part(p *Part, signed bool) error {
	binary := p.Encoding == "binary"
	if binary && signed && p.IsLeaf() {
		return ErrSigned
	}
	if binary {
		l.fields(p)
	}
	if binary && p.IsLeaf() {
		l.copy(p.Body)
		l.add(run{off: p.Body, len: p.End - p.Body, size: encodedSize(p.End - p.Body), base64: true})
		l.at = p.End
		return nil
	}
	signed = signed || p.Type == "multipart/signed"
	for _, in := range p.Parts {
		if err := l.part(in, signed); err != nil {
			return err
		}
	}
	if p.Message != nil {
		return l.part(p.Message, signed)
	}
	return nil
}

// fields puts one Content-Transfer-Encoding in place of those that are there.
func (l *lined) fields(p *Part) {
	text := "Content-Transfer-Encoding: base64\r\n"
	if !p.IsLeaf() { // RFC 2045 section 6.4: what holds parts is never encoded itself
		text = "Content-Transfer-Encoding: 8bit\r\n"
	}
	for _, f := range p.All("Content-Transfer-Encoding") {
		l.copy(f.Off)
		l.add(run{text: text, size: int64(len(text))})
		l.at, text = f.End, ""
	}
}

// copy takes the original up to an offset.
func (l *lined) copy(to int64) {
	l.add(run{off: l.at, len: to - l.at, size: to - l.at})
	l.at = to
}

func (l *lined) add(r run) {
	if r.size <= 0 {
		return
	}
	r.start = l.size
	l.size += r.size
	l.runs = append(l.runs, r)
}

// Lines of base64: 57 octets are 76 characters and a CRLF.
const (
	rawLine     = 57
	encodedLine = 78
)

func encodedSize(n int64) int64 {
	size := n / rawLine * encodedLine
	if rest := n % rawLine; rest > 0 {
		size += (rest+2)/3*4 + 2
	}
	return size
}

// Size implements mail.Blob.
func (l *lined) Size() int64 { return l.size }

// Open implements mail.Blob.
func (l *lined) Open() (mail.BlobReader, error) {
	r, err := l.blob.Open()
	if err != nil {
		return nil, err
	}
	at := &linedReader{l: l, r: r}
	return &linedFile{io.NewSectionReader(at, 0, l.size), r}, nil
}

type linedFile struct {
	*io.SectionReader
	io.Closer
}

type linedReader struct {
	l *lined
	r io.ReaderAt
}

// ReadAt implements io.ReaderAt within the size of the message.
func (lr *linedReader) ReadAt(p []byte, off int64) (n int, err error) {
	for _, r := range lr.l.runs {
		if n == len(p) {
			return n, nil
		}
		in := off + int64(n) - r.start
		if in < 0 || in >= r.size {
			continue
		}
		want := min(int64(len(p)-n), r.size-in)
		m, err := lr.run(p[n:n+int(want)], r, in)
		if n += m; err != nil {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// run fills p from a run, beginning in octets into it.
func (lr *linedReader) run(p []byte, r run, in int64) (int, error) {
	switch {
	case r.text != "":
		return copy(p, r.text[in:]), nil
	case !r.base64:
		n, err := lr.r.ReadAt(p, r.off+in)
		if n == len(p) {
			err = nil
		}
		return n, shorter(err)
	}
	const block = 512 // lines at a time
	n := 0
	raw := make([]byte, rawLine*min(block, int64(len(p))/encodedLine+2))
	for n < len(p) {
		line := (in + int64(n)) / encodedLine
		have := raw[:min(int64(len(raw)), r.len-line*rawLine)]
		if m, err := lr.r.ReadAt(have, r.off+line*rawLine); m < len(have) {
			return n, shorter(err)
		}
		n += copy(p[n:], encodeLines(have)[in+int64(n)-line*encodedLine:])
	}
	return n, nil
}

// shorter is the error of an original that ends too soon.
func shorter(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// encodeLines encodes whole lines, and a last one that may be short.
func encodeLines(raw []byte) string {
	var b strings.Builder
	b.Grow(int(encodedSize(int64(len(raw)))))
	for len(raw) > 0 {
		n := min(rawLine, len(raw))
		b.WriteString(base64.StdEncoding.EncodeToString(raw[:n]))
		b.WriteString("\r\n")
		raw = raw[n:]
	}
	return b.String()
}
