package mime

import (
	"slices"
	"strings"
)

// Get is the unfolded, undecoded value of the first field of that name, "" for
// none. White space around it is taken off.
func (p *Part) Get(name string) string {
	for i := range p.Fields {
		if strings.EqualFold(p.Fields[i].Name, name) {
			return strings.Trim(unfold(p.Fields[i].Raw), " \t")
		}
	}
	return ""
}

// All are the fields of that name, in order; name in any case.
func (p *Part) All(name string) []Field {
	var fs []Field
	for _, f := range p.Fields {
		if strings.EqualFold(f.Name, name) {
			fs = append(fs, f)
		}
	}
	return fs
}

// Text is the field's value for people: unfolded, encoded words (RFC 2047)
// undone, controls taken out. It is valid UTF-8.
func (f Field) Text() string {
	if plainText(f.Raw) {
		return strings.Trim(f.Raw, " ")
	}
	return readText(f.Raw)
}

func readText(raw string) string {
	return strings.Trim(printable(decodeWords(unfold(raw))), " ")
}

// Has tells whether the defect was seen in p or in a part of it.
func (p *Part) Has(d Defect) bool {
	found := false
	p.Walk(func(q *Part) bool {
		for _, have := range q.Defects {
			found = found || have == d
		}
		return !found
	})
	return found
}

// IsLeaf tells whether a part holds no others, by its type: one that was not
// looked into for a limit is no leaf.
func (p *Part) IsLeaf() bool {
	return !strings.HasPrefix(p.Type, "multipart/") && !strings.HasPrefix(p.Type, "message/")
}

// Walk calls f for p and every part below it, parents first, until f says
// false.
func (p *Part) Walk(f func(p *Part) bool) { p.walk(f) }

func (p *Part) walk(f func(p *Part) bool) bool {
	if !f(p) {
		return false
	}
	for _, q := range p.Parts {
		if !q.walk(f) {
			return false
		}
	}
	return p.Message == nil || p.Message.walk(f)
}

// defect notes d once. Defects are kept in order, so that the pieces in which a
// message arrived cannot be seen.
func (p *Part) defect(d Defect) {
	if i, have := slices.BinarySearch(p.Defects, d); !have {
		p.Defects = slices.Insert(p.Defects, i, d)
	}
}

// unfold takes the CRLF out of folds, RFC 5322 section 2.2.3; the white space
// behind it stays.
func unfold(raw string) string {
	if !strings.Contains(raw, "\r\n") {
		return raw
	}
	return strings.ReplaceAll(raw, "\r\n", "")
}

// printable takes controls out of text and makes a tab a space.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r < ' ', 0x7f <= r && r < 0xa0:
			return -1
		}
		return r
	}, s)
}
