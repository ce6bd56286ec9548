package mime

import "strings"

// interpret reads the fields of a part that say what it is.
func interpret(p *Part, digest bool) {
	types, encodings, disps := p.All("Content-Type"), p.All("Content-Transfer-Encoding"), p.All("Content-Disposition")
	if len(types) > 1 || len(encodings) > 1 || len(disps) > 1 {
		p.defect(DefectDuplicateType)
	}
	p.Type = "text/plain" // RFC 2045 section 5.2
	if digest {
		p.Type = "message/rfc822" // RFC 2046 section 5.1.5
	}
	var names nameList
	if len(types) > 0 {
		names.content = p.setType(types[0].Raw)
	}
	for _, f := range types[min(1, len(types)):] {
		_, ps := p.structured(f.Raw)
		names.also(joinParams(ps).all["name"])
	}
	for i, f := range disps {
		value, ps := p.structured(f.Raw)
		set := joinParams(ps)
		if i == 0 {
			p.Disposition, p.DispParams, names.disp = value, set.first(), set.all["filename"]
		} else {
			names.also(set.all["filename"])
		}
	}
	p.setNames(names)
	p.setEncoding(encodings)
}

// nameList is where file names come from.
type nameList struct{ disp, content, other []string }

func (n *nameList) also(more []string) { n.other = append(n.other, more...) }

// structured is parseStructured for a field of p.
func (p *Part) structured(raw string) (value string, ps []param) {
	value, ps, whole := parseStructured(raw)
	if !whole {
		p.defect(DefectLimit)
	}
	return value, ps
}

// setType reads Content-Type and returns the file names in it.
func (p *Part) setType(raw string) (names []string) {
	value, ps := p.structured(raw)
	set := joinParams(ps)
	if main, sub, ok := strings.Cut(value, "/"); ok && isToken(main) && isToken(sub) {
		p.Type = value
	}
	p.Params = set.first()
	if strings.HasPrefix(p.Type, "multipart/") && (set.times["boundary"] > 1 || set.ext["boundary"] || len(set.all["boundary"]) > 1) {
		p.defect(DefectAmbiguousBoundary)
	}
	return set.all["name"]
}

// boundary is the boundary of a multipart, "" where there is none that a line
// could match. It may not end in a space (RFC 2046 section 5.1.1).
func (p *Part) boundary() string {
	b := strings.TrimRight(p.Params["boundary"], " \t")
	if len(b) > maxLine {
		return ""
	}
	return b
}

func (p *Part) setNames(n nameList) {
	all := append(append(append([]string(nil), n.disp...), n.content...), n.other...)
	for i, name := range all {
		all[i] = printable(name)
	}
	for _, name := range distinct(all) {
		if name != "" {
			p.Names = append(p.Names, name)
		}
	}
	if len(p.Names) > 1 {
		p.defect(DefectAmbiguousName)
	}
}

// setEncoding reads Content-Transfer-Encoding, RFC 2045 section 6.
func (p *Part) setEncoding(fields []Field) {
	p.Encoding = "7bit"
	if len(fields) == 0 {
		return
	}
	sc := &scanner{s: unfold(fields[0].Raw)}
	sc.skip()
	p.Encoding = strings.ToLower(sc.until(" \t(;,"))
	sc.skip()
	composite := strings.HasPrefix(p.Type, "multipart/") || strings.HasPrefix(p.Type, "message/")
	switch p.Encoding {
	case "7bit", "8bit", "binary":
	case "base64", "quoted-printable":
		if composite && p.Type != "message/global" { // RFC 2045 section 6.4, RFC 6532 section 3.5
			p.defect(DefectBadEncoding)
		}
	default:
		p.defect(DefectBadEncoding)
	}
	if sc.more() {
		p.defect(DefectBadEncoding)
	}
}

// isToken follows RFC 2045 section 5.1.
func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] > '~' || strings.IndexByte(`()<>@,;:\"/[]?=`, s[i]) >= 0 {
			return false
		}
	}
	return s != ""
}
