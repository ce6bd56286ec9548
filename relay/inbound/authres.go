package inbound

import (
	"strings"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// forged removes the Authentication-Results fields that claim to be ours: RFC
// 8601 section 5.
func forged(p *mime.Part, host string) (edits []mail.Edit) {
	for _, f := range p.All("Authentication-Results") {
		if strings.EqualFold(authservID(f.Raw), host) {
			edits = append(edits, mail.Edit{Off: f.Off, End: f.End})
		}
	}
	return edits
}

// authservID is the first word of the field behind white space, folds and
// comments; it may be quoted.
func authservID(raw string) string {
	s := strings.ReplaceAll(raw, "\r\n", "")
	s = skipComments(s)
	if strings.HasPrefix(s, `"`) {
		return unquote(s[1:])
	}
	if i := strings.IndexAny(s, " \t;(\""); i >= 0 {
		s = s[:i]
	}
	return strings.TrimSuffix(s, ".")
}

// skipComments passes over white space and (nested (comments)).
func skipComments(s string) string {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '(':
			depth++
		case depth > 0 && c == '\\':
			i++
		case depth > 0 && c == ')':
			depth--
		case depth == 0 && c != ' ' && c != '\t' && c != '\r' && c != '\n':
			return s[i:]
		}
	}
	return ""
}

func unquote(s string) string {
	var b strings.Builder
	for i := 0; i < len(s) && s[i] != '"'; i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return strings.TrimSuffix(b.String(), ".")
}
