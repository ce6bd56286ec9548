package inbound

import (
	"strings"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// maxValue bounds one value of an Authentication-Results field.
const maxValue = 255

// authResults is the field of RFC 8601, one result a line.
func authResults(host string, rs []pipeline.AuthResult) mail.Field {
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
	for _, r := range shorten(s, maxValue) {
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
