package mime

import (
	"bytes"

	"github.com/forepost/forepost/relay/mail"
)

// What Limits are where they say nothing.
const (
	defaultHeaderBytes = 1 << 20
	defaultFields      = 2000
	defaultParts       = 1000
	defaultDepth       = 50
)

// maxLine is the longest line of RFC 5322 section 2.1.1, without its CRLF.
const maxLine = 998

// maxDelimiter is how long a line can be and still be a boundary delimiter,
// padding included. Of lines in bodies no more than this is kept.
const maxDelimiter = 1024

// parser takes octets, cuts them into lines (only CRLF ends a line) and hands
// each line to the innermost part that is open. What it keeps of a line is its
// beginning in a body, and all of it in a header.
type parser struct {
	limits Limits
	root   *Part
	stack  []*frame // open parts, outermost first; never empty before close

	line    []byte // what is kept of the current line, with its line end
	lineLen int64  // the whole length of it
	lineOff int64  // where it begins
	size    int64  // octets taken so far
	crlfs   int64  // lines ended so far
	cr      bool   // the last octet taken was a CR

	parts      int // begun so far
	headerLeft int // octets of headers that may still be kept

	field openField
}

// frame is an open part.
type frame struct {
	part      *Part
	header    bool   // its header has not ended
	digest    bool   // it stands in a multipart/digest
	boundary  string // of a multipart that is looked into, "" for others
	closed    bool   // the closing delimiter was seen: what follows is epilogue
	full      bool   // Limits.Parts was reached: what follows is not looked into
	bodyLines int64  // crlfs at the start of the body
}

func newParser(l Limits) parser {
	setDefault(&l.HeaderBytes, defaultHeaderBytes)
	setDefault(&l.Fields, defaultFields)
	setDefault(&l.Parts, defaultParts)
	setDefault(&l.Depth, defaultDepth)
	root := &Part{}
	return parser{
		limits:     l,
		root:       root,
		stack:      []*frame{{part: root, header: true}},
		parts:      1,
		headerLeft: l.HeaderBytes,
	}
}

func setDefault(v *int, def int) {
	if *v <= 0 {
		*v = def
	}
}

func parse(blob mail.Blob, l Limits) (*Part, error) {
	r, err := blob.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	p := NewParser(l)
	if err := copyAll(p, r); err != nil {
		return nil, err
	}
	return p.Close(), nil
}

func (p *parser) top() *frame { return p.stack[len(p.stack)-1] }

// write finds the line ends. A LF that follows no CR is an octet like others.
func (p *parser) write(b []byte) {
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			p.take(b)
			return
		}
		ends := i > 0 && b[i-1] == '\r' || i == 0 && p.cr
		p.take(b[:i+1])
		if ends {
			p.endLine(2)
		} else {
			p.top().part.defect(DefectBareCRLF)
		}
		b = b[i+1:]
	}
}

// take adds octets to the current line. There is at most one LF among them, at
// their end.
func (p *parser) take(seg []byte) {
	f, last := p.top(), len(seg)-1
	if bytes.IndexByte(seg, 0) >= 0 {
		f.part.defect(DefectNUL)
	}
	bare := p.cr && seg[0] != '\n'
	if j := bytes.IndexByte(seg, '\r'); j >= 0 && j < last && !(j == last-1 && seg[last] == '\n') {
		bare = true
	}
	if bare {
		f.part.defect(DefectBareCRLF)
	}
	p.cr = seg[last] == '\r'
	p.keep(f, seg)
	p.lineLen += int64(len(seg))
	p.size += int64(len(seg))
}

// keep keeps of a line what will be looked at: all of it in a header as long as
// the limit allows, else the beginning of what may be a delimiter.
func (p *parser) keep(f *frame, seg []byte) {
	room := maxDelimiter + 2 - len(p.line)
	if f.header {
		p.headerLeft = max(p.headerLeft-len(seg), -1)
		if p.headerLeft >= 0 {
			room = len(seg)
		}
	} else if p.lineLen == 0 && seg[0] != '-' || p.lineLen > int64(len(p.line)) {
		return
	}
	if room > 0 {
		p.line = append(p.line, seg[:min(room, len(seg))]...)
	}
}

// endLine deals with the line that has just ended; its line end has eol octets
// (0 at the end of the message).
func (p *parser) endLine(eol int) {
	f := p.top()
	length := p.lineLen - int64(eol)
	if length > maxLine {
		f.part.defect(DefectLongLine)
	}
	line := p.line
	whole := int64(len(line)) == p.lineLen
	if whole {
		line = line[:length]
	}
	before := p.crlfs
	if eol > 0 {
		p.crlfs++
	}
	switch {
	case whole && length <= maxDelimiter && p.delimiter(line, before):
	case f.header:
		p.headerLine(f, line, whole)
	}
	p.line = p.line[:0]
	p.lineLen, p.lineOff = 0, p.size
}

func (p *parser) close() *Part {
	if p.cr {
		p.top().part.defect(DefectBareCRLF)
	}
	if p.lineLen > 0 {
		p.endLine(0)
	}
	p.closeFrames(0, p.size, p.crlfs, 0)
	checkTop(p.root)
	p.stack, p.line = []*frame{{part: p.root}}, nil // a Write after Close does no harm
	return p.root
}
