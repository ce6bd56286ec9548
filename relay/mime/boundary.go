package mime

import "strings"

// delimiter deals with a line that is a boundary delimiter of an open multipart
// and tells whether it is one. The innermost is asked first, but the delimiter
// of an outer one ends all that is open inside of it (RFC 2046 section 5.1.2).
// lines is how many lines there were before this one.
func (p *parser) delimiter(line []byte, lines int64) bool {
	if len(line) < 3 || line[0] != '-' || line[1] != '-' {
		return false
	}
	for k := len(p.stack) - 1; k >= 0; k-- {
		f := p.stack[k]
		if f.boundary == "" || f.closed {
			continue
		}
		is, closing, near := matchDelimiter(string(line[2:]), f.boundary)
		if near {
			f.part.defect(DefectAmbiguousBoundary)
		}
		if is {
			p.closeFrames(k+1, p.lineOff, lines, 2)
			p.atDelimiter(f, closing)
			return true
		}
	}
	return false
}

// matchDelimiter compares a line behind its "--" with a boundary. Only white
// space may follow (RFC 2046 section 5.1.1). near: the line begins with the
// boundary and goes on, which some readers take for a delimiter.
func matchDelimiter(line, boundary string) (is, closing, near bool) {
	rest, ok := strings.CutPrefix(line, boundary)
	if !ok {
		return false, false, false
	}
	if isBlank(rest) {
		return true, false, false
	}
	if rest, ok = strings.CutPrefix(rest, "--"); ok && isBlank(rest) {
		return true, true, false
	}
	return false, false, true
}

func isBlank(s string) bool { return strings.Trim(s, " \t") == "" }

// atDelimiter begins the next part of the multipart f, or its epilogue.
func (p *parser) atDelimiter(f *frame, closing bool) {
	switch {
	case closing:
		f.closed = true
	case f.full:
	case p.parts >= p.limits.Parts:
		f.full = true
		f.part.defect(DefectLimit)
	default:
		part := &Part{Off: p.size}
		f.part.Parts = append(f.part.Parts, part)
		p.push(part, f.part.Type == "multipart/digest")
	}
}

func (p *parser) push(part *Part, digest bool) {
	p.parts++
	p.stack = append(p.stack, &frame{part: part, header: true, digest: digest})
}

// closeFrames ends the parts from the one at stack[from] on. at is where the
// delimiter that ends them begins (or the end of the message), lines the line
// ends before it; the last eol octets before it, a CRLF, belong to the
// delimiter (RFC 2046 section 5.1.1), unless they belong to a header already.
func (p *parser) closeFrames(from int, at, lines int64, eol int64) {
	var inner int64 // no part ends before what it holds
	for i := len(p.stack) - 1; i >= from; i-- {
		f := p.stack[i]
		if f.header {
			p.cutHeader(f, at, lines)
		}
		end := max(at-eol, f.part.Body, inner)
		inner, f.part.End = end, end
		f.part.Lines = lines - f.bodyLines
		if eol > 0 && end < at {
			f.part.Lines--
		}
		if f.boundary != "" && !f.closed && !f.full {
			f.part.defect(DefectUnclosed)
		}
	}
	p.stack = p.stack[:from]
}

// cutHeader ends a header at which something else began, or the message ended.
func (p *parser) cutHeader(f *frame, at, lines int64) {
	p.endField(f.part)
	f.part.defect(DefectNoHeaderEnd)
	f.part.Body, f.bodyLines, f.header = at, lines, false
	interpret(f.part, f.digest)
}

// descend looks into a part whose header has just ended, if it holds others.
func (p *parser) descend(f *frame) {
	multipart := strings.HasPrefix(f.part.Type, "multipart/")
	if !multipart && !holdsMessage(f.part) {
		return
	}
	if len(p.stack) >= p.limits.Depth || p.parts >= p.limits.Parts {
		f.part.defect(DefectLimit)
		return
	}
	if multipart {
		f.boundary = f.part.boundary()
		p.compareBoundary(f)
		return
	}
	f.part.Message = &Part{Off: f.part.Body}
	p.push(f.part.Message, false)
}

// compareBoundary looks for an open multipart whose boundary is the beginning
// of this one's, or the other way round.
func (p *parser) compareBoundary(f *frame) {
	if f.boundary == "" {
		f.part.defect(DefectNoBoundary)
		return
	}
	for _, o := range p.stack {
		if o == f || o.boundary == "" {
			continue
		}
		if strings.HasPrefix(o.boundary, f.boundary) || strings.HasPrefix(f.boundary, o.boundary) {
			f.part.defect(DefectAmbiguousBoundary)
		}
	}
}

// holdsMessage tells whether the body of a part is a message that can be
// looked into where it lies.
func holdsMessage(p *Part) bool {
	if p.Type != "message/rfc822" && p.Type != "message/global" {
		return false
	}
	return p.Encoding != "base64" && p.Encoding != "quoted-printable"
}
