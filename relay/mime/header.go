package mime

import (
	"bytes"
	"strings"
)

// openField is a header field whose continuation lines may still come.
type openField struct {
	open bool
	name string
	raw  []byte
	off  int64
	end  int64
}

// headerLine takes a line of a header. An empty line, and nothing else, ends
// the header; a line that is neither field nor continuation belongs to the
// header all the same. Every reader of a message must see this split, or what
// one of them verifies is not what another one shows.
func (p *parser) headerLine(f *frame, line []byte, whole bool) {
	switch {
	case p.lineLen == 2 && len(line) == 0:
		p.endField(f.part)
		p.endHeader(f)
	case !whole || p.headerLeft < 0: // not kept: over the limit
		f.part.defect(DefectLimit)
		p.field.open = false
	case len(line) > 0 && (line[0] == ' ' || line[0] == '\t'):
		p.continueField(f.part, line)
	default:
		p.endField(f.part)
		p.beginField(f.part, line)
	}
}

func (p *parser) endHeader(f *frame) {
	f.header = false
	f.part.Body, f.bodyLines = p.size, p.crlfs
	interpret(f.part, f.digest)
	p.descend(f)
}

func (p *parser) beginField(part *Part, line []byte) {
	checkEightBit(part, line)
	colon := bytes.IndexByte(line, ':')
	if colon < 0 {
		part.defect(DefectBadField)
		return
	}
	name := strings.TrimRight(string(line[:colon]), " \t")
	if !isFieldName(name) {
		part.defect(DefectBadField)
		return
	}
	if len(name) < colon {
		// White space before the colon: obsolete syntax (RFC 5322 section 4.5),
		// a field for some readers and none for others.
		part.defect(DefectBadField)
	}
	p.field = openField{open: true, name: name, off: p.lineOff, end: p.size,
		raw: append(p.field.raw[:0], line[colon+1:]...)}
}

func (p *parser) continueField(part *Part, line []byte) {
	checkEightBit(part, line)
	if !p.field.open {
		part.defect(DefectBadField)
		return
	}
	p.field.raw = append(append(p.field.raw, '\r', '\n'), line...)
	p.field.end = p.size
}

// endField keeps the field that was open.
func (p *parser) endField(part *Part) {
	if !p.field.open {
		return
	}
	p.field.open = false
	if len(part.Fields) >= p.limits.Fields {
		part.defect(DefectLimit)
		return
	}
	part.Fields = append(part.Fields, Field{
		Name: p.field.name, Raw: string(p.field.raw), Off: p.field.off, End: p.field.end,
	})
}

// isFieldName follows RFC 5322 section 2.2: printable ASCII without the colon.
func isFieldName(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}

func checkEightBit(part *Part, line []byte) {
	for _, c := range line {
		if c >= 0x80 {
			part.defect(DefectEightBitHeader)
			return
		}
	}
}

// once are the fields that a message may have once, RFC 5322 section 3.6.
var once = map[string]bool{
	"date": true, "from": true, "sender": true, "reply-to": true, "to": true, "cc": true,
	"bcc": true, "message-id": true, "in-reply-to": true, "references": true, "subject": true,
}

// checkTop tells what is odd about the fields of the message itself.
func checkTop(root *Part) {
	seen := map[string]int{}
	for _, f := range root.Fields {
		if name := strings.ToLower(f.Name); once[name] {
			seen[name]++
			if seen[name] == 2 {
				root.defect(DefectDuplicateField)
			}
		}
	}
	for _, f := range root.All("From") {
		if list, ok := Mailboxes(f.Raw); !ok || len(list) != 1 || list[0].Group != "" {
			root.defect(DefectOddFrom)
		}
	}
	switch n := seen["from"]; {
	case n == 0:
		root.defect(DefectNoFrom)
	case n > 1:
		root.defect(DefectManyFrom)
	}
}
