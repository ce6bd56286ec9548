package imapd

import (
	"bytes"
	"io"
	"strings"
)

// fetchBinary answers BINARY and BINARY.SIZE (RFC 9051 section 6.4.5, RFC
// 3516): a part with its transfer encoding undone. A literal needs its size
// first, so the part is decoded twice rather than kept.
func (s *session) fetchBinary(m *opened, i *item) {
	s.enc.Raw(i.name)
	s.sectionLabel(&i.section)
	s.enc.Raw("]", i.partial.label(), " ")
	content, ok := m.decoded(&i.section)
	if !ok {
		s.enc.Raw("NIL")
		return
	}
	size, nul := measure(cutReader(content(), i.partial))
	if i.name == "BINARY.SIZE[" {
		s.enc.Uint(uint64(size))
		return
	}
	s.enc.Literal(size, cutReader(content(), i.partial), nul)
}

// decoded gives readers of a part's content.
func (m *opened) decoded(sec *section) (func() io.Reader, bool) {
	if len(sec.path) == 0 {
		return func() io.Reader { return io.NewSectionReader(m.r, 0, m.entry.Message.Size()) }, true
	}
	part, ok := locate(m.root, sec.path)
	if !ok {
		return nil, false
	}
	if len(part.Parts) > 0 || part.Message != nil { // composite parts have no encoding of their own
		return func() io.Reader { return io.NewSectionReader(m.r, part.Body, part.End-part.Body) }, true
	}
	return func() io.Reader { return part.Content(m.r) }, true
}

// decodable tells whether all parts that BINARY asks for can be decoded.
func (m *opened) decodable(f *fetching) bool {
	for _, i := range f.items {
		if !strings.HasPrefix(i.name, "BINARY") || len(i.section.path) == 0 {
			continue
		}
		p, ok := locate(m.root, i.section.path)
		if ok && len(p.Parts) == 0 && p.Message == nil && !encodings[p.Encoding] {
			return false
		}
	}
	return true
}

// encodings are those of RFC 2045 section 6.
var encodings = map[string]bool{"7bit": true, "8bit": true, "binary": true, "base64": true, "quoted-printable": true}

// cutReader reads what a partial asks for.
func cutReader(r io.Reader, p *partial) io.Reader {
	if p == nil {
		return r
	}
	io.CopyN(io.Discard, r, int64(p.off)) // less is there: then nothing is left
	return io.LimitReader(r, int64(p.count))
}

// measure reads to the end.
func measure(r io.Reader) (size int64, nul bool) {
	buf := make([]byte, 8<<10)
	for {
		n, err := r.Read(buf)
		size += int64(n)
		nul = nul || bytes.IndexByte(buf[:n], 0) >= 0
		if err != nil {
			return size, nul
		}
	}
}
