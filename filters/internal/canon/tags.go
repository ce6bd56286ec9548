package canon

import "strings"

// Tags reads a tag-list, RFC 6376 section 3.2: folding white space around names
// and values counts for nothing. A tag that stands twice spoils the list, as
// does a name that is none.
func Tags(s string) (map[string]string, bool) {
	m := make(map[string]string, 16)
	for _, t := range strings.Split(s, ";") {
		name, value, ok := strings.Cut(t, "=")
		name = strings.TrimSpace(name)
		if !ok {
			if name != "" {
				return nil, false
			}
			continue
		}
		if _, twice := m[name]; twice || !tagName(name) {
			return nil, false
		}
		m[name] = strings.TrimSpace(value)
	}
	return m, true
}

// Strict tells whether each semicolon of a tag-list ends a tag. Of a signature
// that must be so: RFC 6376 section 6.1.1 warns of being liberal there.
func Strict(s string) bool {
	s = strings.TrimSuffix(strings.TrimSpace(s), ";")
	for _, t := range strings.Split(s, ";") {
		if strings.TrimSpace(t) == "" {
			return false
		}
	}
	return true
}

// tagName is ALPHA *ALNUMPUNC.
func tagName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
		if !letter && (i == 0 || c != '_' && (c < '0' || c > '9')) {
			return false
		}
	}
	return s != ""
}

// Squeeze takes out all white space: of values in which it means nothing.
func Squeeze(s string) string {
	n := 0 // octets of ASCII white space
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 0x80:
			return strings.Join(strings.Fields(s), "")
		case white(c):
			n++
		}
	}
	if n == 0 {
		return s
	}
	out := make([]byte, 0, len(s)-n)
	for i := range len(s) {
		if !white(s[i]) {
			out = append(out, s[i])
		}
	}
	return string(out)
}

func white(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// Names are the header fields of an h= tag, in lower case.
func Names(h string) []string {
	list := strings.Split(strings.ToLower(Squeeze(h)), ":")
	if len(list) == 1 && list[0] == "" {
		return nil
	}
	return list
}
