package imapd

import (
	"slices"
	"strconv"
	"strings"

	"github.com/forepost/forepost/imapstore/imapd/wire"
	"github.com/forepost/forepost/relay/mime"
)

// fetchContent answers an item that needs the message.
func (s *session) fetchContent(m *opened, i *item) {
	switch i.name {
	case "ENVELOPE":
		s.enc.Raw("ENVELOPE ")
		s.envelope(m.root)
	case "BODYSTRUCTURE":
		s.enc.Raw("BODYSTRUCTURE ")
		s.bodyStructure(m.root, true)
	case "BODY":
		s.enc.Raw("BODY ")
		s.bodyStructure(m.root, false)
	case "BINARY[", "BINARY.SIZE[":
		s.fetchBinary(m, i)
	case "RFC822", "RFC822.HEADER", "RFC822.TEXT":
		s.enc.Raw(i.name, " ")
		s.octets(m, &section{text: strings.TrimPrefix(strings.TrimPrefix(i.name, "RFC822"), ".")}, nil)
	default:
		s.enc.Raw("BODY[")
		s.sectionLabel(&i.section)
		s.enc.Raw("]", i.partial.label(), " ")
		s.octets(m, &i.section, i.partial)
	}
}

// label is how a partial stands in the answer: only where it began.
func (p *partial) label() string {
	if p == nil {
		return ""
	}
	return "<" + strconv.Itoa(int(p.off)) + ">"
}

func (s *session) sectionLabel(sec *section) {
	for i, n := range sec.path {
		if i > 0 {
			s.enc.Raw(".")
		}
		s.enc.Uint(uint64(n))
	}
	if sec.text != "" && len(sec.path) > 0 {
		s.enc.Raw(".")
	}
	s.enc.Raw(sec.text)
	if sec.fields == nil {
		return
	}
	for i, f := range sec.fields {
		s.enc.Raw([]string{" (", " "}[min(i, 1)])
		if wire.IsAtom(f) {
			s.enc.Raw(f)
		} else {
			s.enc.String(f)
		}
	}
	s.enc.Raw(")")
}

// octets writes a section as a literal; NIL for a part that is not there.
func (s *session) octets(m *opened, sec *section, p *partial) {
	x, ok := m.extent(sec)
	if !ok {
		s.enc.Raw("NIL")
		return
	}
	x = x.cut(p)
	s.enc.Literal(x.size, x.reader(m.r), false)
}

// extent finds where a section lies.
func (m *opened) extent(sec *section) (x extent, ok bool) {
	if len(sec.path) == 0 && sec.text == "" {
		x.add(0, m.entry.Message.Size())
		return x, true
	}
	part, ok := locate(m.root, sec.path)
	if !ok {
		return x, false
	}
	if len(sec.path) > 0 && sec.text != "" && sec.text != "MIME" {
		if part = part.Message; part == nil { // RFC 9051 section 6.4.5.1: of message/rfc822 only
			return x, false
		}
	}
	switch sec.text {
	case "", "TEXT":
		x.add(part.Body, part.End)
	case "HEADER", "MIME":
		x.add(part.Off, part.Body)
	default:
		headerFields(&x, part, sec.fields, sec.text == "HEADER.FIELDS.NOT")
	}
	return x, true
}

// headerFields takes the fields of those names, or all others, in their order,
// and the empty line behind a header.
func headerFields(x *extent, part *mime.Part, names []string, not bool) {
	for _, f := range part.Fields {
		wanted := slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, f.Name) })
		if wanted != not {
			x.add(f.Off, f.End)
		}
	}
	x.addText("\r\n")
}

// locate finds a part by its numbers (RFC 9051 section 6.4.5.1).
func locate(root *mime.Part, path []uint32) (*mime.Part, bool) {
	cur, message := root, true
	for _, n := range path {
		if !message && cur.Message != nil {
			cur, message = cur.Message, true
		}
		switch {
		case int(n) <= len(cur.Parts):
			cur, message = cur.Parts[n-1], false
		case len(cur.Parts) == 0 && message && n == 1:
			message = false // of a message that is no multipart, part 1 is its body
		default:
			return nil, false
		}
	}
	return cur, true
}
