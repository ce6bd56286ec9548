package arc

import (
	"slices"
	"strings"
)

// dmarcOf is the DMARC result that an ARC-Authentication-Results field states,
// none where it states none or several.
func dmarcOf(raw string) string {
	found := "none"
	for i, r := range strings.Split(uncommented(raw), ";") {
		method, rest, ok := strings.Cut(r, "=")
		if i < 2 || !ok || !strings.EqualFold(strings.TrimSpace(method), "dmarc") { // i= and authserv-id go before
			continue
		}
		word := strings.Fields(rest + " none")[0]
		if found != "none" || !slices.Contains([]string{"pass", "fail", "temperror", "permerror"}, word) {
			return "none"
		}
		found = word
	}
	return found
}

// uncommented is raw without comments; quoted strings become blanks, so that a
// reason="; dmarc=pass" says nothing.
func uncommented(raw string) string {
	var b strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case (quoted || depth > 0) && c == '\\':
			i++
		case quoted:
			quoted = c != '"'
		case c == '(':
			depth++
		case depth > 0 && c == ')':
			depth--
		case depth > 0:
		case c == '"':
			quoted = true
			b.WriteByte(' ')
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
