package imapd

import "strings"

// rawParam is a parameter of Content-Type or Content-Disposition as it stands
// there: continuations and charsets of RFC 2231 are the client's to undo.
type rawParam struct{ name, value string }

// maxParams bounds what is shown of one field.
const maxParams = 200

// rawParams parts the unfolded value of a field into the word before the first
// semicolon, in lower case, and the parameters in their order.
func rawParams(s string) (value string, params []rawParam) {
	rest := uncomment(s)
	piece, rest := cutParam(rest)
	value = strings.ToLower(strings.TrimSpace(piece))
	for rest != "" && len(params) < maxParams {
		piece, rest = cutParam(rest)
		name, v, ok := strings.Cut(piece, "=")
		name = strings.TrimSpace(name)
		if ok && name != "" {
			params = append(params, rawParam{strings.ToLower(name), unquote(strings.TrimSpace(v))})
		}
	}
	return value, params
}

// cutParam cuts at the first semicolon that is not quoted.
func cutParam(s string) (piece, rest string) {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && quoted:
			i++
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ';' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// unquote takes the quotes off a quoted string.
func unquote(s string) string {
	if len(s) == 0 || s[0] != '"' {
		return s
	}
	var b strings.Builder
	for i := 1; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// uncomment takes comments out (RFC 5322 section 3.2.2).
func uncomment(s string) string {
	if strings.IndexByte(s, '(') < 0 {
		return s
	}
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s):
			if depth == 0 {
				b.WriteString(s[i : i+2])
			}
			i++
			continue
		case c == '"' && depth == 0:
			quoted = !quoted
		case c == '(' && !quoted:
			depth++
		case c == ')' && depth > 0:
			depth--
			continue
		}
		if depth == 0 {
			b.WriteByte(c)
		}
	}
	return b.String()
}
