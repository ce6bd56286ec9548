package rules

import (
	"strings"
	"unicode/utf8"

	"github.com/forepost/forepost/policies/internal/expr"
)

// maxReply bounds the text of a reply: a reply line has 512 octets, codes, the
// message's ID and CRLF included (RFC 5321 section 4.5.3.1.5).
const maxReply = 400

// replyText is the text of a reply: what senders put into it must not be able
// to end the line.
func replyText(v *expr.Value, r *expr.Run, utf8ok bool) string {
	if v == nil {
		return ""
	}
	s, _ := v.Str(r)
	s = clean(s, maxReply)
	if utf8ok {
		return s
	}
	return strings.Map(func(c rune) rune {
		if c > '~' {
			return '?' // RFC 5321 section 4.2: replies are ASCII
		}
		return c
	}, s)
}

// clean takes out control characters and what is no UTF-8, and cuts at max octets.
func clean(s string, most int) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "?"), "\r\n", " ")
	s = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f {
			return ' '
		}
		return c
	}, s)
	if len(s) > most {
		for most > 0 && !utf8.RuneStart(s[most]) {
			most--
		}
		s = s[:most]
	}
	return s
}
