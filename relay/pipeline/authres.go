package pipeline

import (
	"strings"

	"github.com/forepost/forepost/relay/mail"
)

// maxValue bounds one value of an Authentication-Results field.
const maxValue = 255

// AuthenticationResults is the field of RFC 8601 that the gateway of that name
// puts on top, one result a line. What the results say cannot add others.
func AuthenticationResults(host string, rs []AuthResult) mail.Field {
	var v strings.Builder
	v.WriteString(host)
	for _, r := range rs {
		v.WriteString(";\r\n\t" + token(r.Method) + "=" + token(r.Result))
		if r.Reason != "" {
			v.WriteString(" reason=" + quoted(r.Reason))
		}
		for _, p := range r.Props {
			if p.Value != "" {
				v.WriteString("\r\n\t " + token(p.Name) + "=" + value(p.Value))
			}
		}
	}
	return mail.Field{Name: "Authentication-Results", Value: v.String()}
}

// token keeps of s what may stand in a keyword.
func token(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(".-_", r) {
			return r
		}
		return -1
	}, s)
}

// value is a pvalue, RFC 8601 section 2.2: bare where it may be, else quoted.
func value(s string) string {
	bare := len(s) <= maxValue
	for i := 0; i < len(s); i++ {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		bare = bare && (letter || strings.IndexByte("@.-_+!#$%&'*^`{|}~", c) >= 0)
	}
	if bare {
		return s
	}
	return quoted(s)
}

func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s[:min(len(s), maxValue)] {
		switch {
		case r < ' ' || r == 0x7f || r == '\uFFFD':
			r = '?'
		case r == '"' || r == '\\':
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	b.WriteByte('"')
	return b.String()
}
