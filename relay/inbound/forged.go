package inbound

import (
	"strings"
	"unicode"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// claims are the fields that say what a gateway found out, each with the name of
// the gateway that it is of.
var claims = []struct {
	field string
	of    func(raw, host string) bool
}{
	{"Authentication-Results", func(raw, host string) bool { return isHost(authservID(raw), host) }},
	{"ARC-Authentication-Results", arcIsOf},
	{"Received-SPF", receivedSPFIsOf},
}

// forged removes the fields that claim to be ours (RFC 8601 section 5), however
// many there are and however they are spelt: no reader behind us may take a
// stranger's word for ours. Where an ARC chain was found whole, a link of it that
// is ours was sealed by us (the message comes by a second time) and stays.
func forged(p *mime.Part, host string, wholeChain bool) (edits []mail.Edit) {
	for _, c := range claims {
		if wholeChain && strings.HasPrefix(c.field, "ARC-") {
			continue
		}
		for _, f := range p.All(c.field) {
			if c.of(f.Raw, host) {
				edits = append(edits, mail.Edit{Off: f.Off, End: f.End})
			}
		}
	}
	return edits
}

// chainIsWhole tells whether the ARC filter was asked and verified every link.
func chainIsWhole(found []pipeline.Result) bool {
	for _, r := range found {
		if r.Instance.Kind == "arc" && r.Err == nil && r.Finding.Facts["result"] == "pass" {
			return true
		}
	}
	return false
}

// blank is white space to some reader: of Unicode, and all control characters.
func blank(r rune) bool {
	return unicode.IsSpace(r) || unicode.IsControl(r) || r == '\ufeff' || r == '\u200b'
}

func isHost(s, host string) bool { return strings.EqualFold(strings.TrimSuffix(s, "."), host) }

// authservID is the first word of the field behind white space, folds and
// comments; it may be quoted.
func authservID(raw string) string {
	s := strings.TrimLeftFunc(uncommented(raw), blank)
	if strings.HasPrefix(s, `"`) {
		return unquote(s[1:])
	}
	// The word ends where any reader may end it: at what is in no token (RFC 2045).
	if i := strings.IndexFunc(s, func(r rune) bool { return blank(r) || strings.ContainsRune(`;",/=:@<>[]?`, r) }); i >= 0 {
		s = s[:i]
	}
	return strings.TrimSuffix(s, ".")
}

// arcIsOf: the authserv-id stands behind the instance, RFC 8617 section 4.1.1.
func arcIsOf(raw, host string) bool {
	instance, rest, _ := strings.Cut(uncommented(raw), ";")
	return isHost(authservID(instance), host) || isHost(authservID(rest), host)
}

// receivedSPFIsOf: the gateway stands in the key receiver, or before the colon of
// a comment (RFC 7208 section 9.1 has both).
func receivedSPFIsOf(raw, host string) bool {
	plain := uncommented(raw)
	if _, pairs, ok := strings.Cut(strings.TrimLeft(plain, " \t"), " "); ok {
		for _, pair := range strings.Split(pairs, ";") {
			key, v, _ := strings.Cut(pair, "=")
			if strings.EqualFold(strings.Trim(key, " \t"), "receiver") && isHost(authservID(v), host) {
				return true
			}
		}
	}
	for _, c := range strings.Split(raw, "(")[1:] {
		name, _, colon := strings.Cut(c, ":")
		if colon && isHost(strings.Trim(name, " \t\r\n"), host) {
			return true
		}
	}
	return false
}

// uncommented is a field's value on one line, a blank for each (nested
// (comment)). What a comment that is never closed covers is gone, too.
func uncommented(raw string) string {
	var b strings.Builder
	depth, quote := 0, false
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		escape := c == '\\' && (quote || depth > 0) && i+1 < len(raw)
		switch {
		case c == '"' && depth == 0:
			quote = !quote
		case quote:
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			if depth--; depth == 0 {
				c = ' '
			}
		case c == '\r' || c == '\n' || c == '\t':
			c = ' '
		}
		if depth == 0 && (c != '\r' && c != '\n') {
			b.WriteByte(c)
			if escape {
				b.WriteByte(raw[i+1])
			}
		}
		if escape {
			i++
		}
	}
	return b.String()
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
