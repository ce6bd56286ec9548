package dsn

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Remote text goes into a report only through clean: an answer of a server, an
// ENVID or an ORCPT may hold anything.

// clean makes s one line without controls. Outside ASCII it is kept where
// utf8ok, else written as \x{HEX}, the form of RFC 6533 section 3; what is no
// UTF-8 becomes a question mark.
func clean(s string, utf8ok bool) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n <= 1:
			b.WriteByte('?')
		case r == '\r', r == '\n', r == '\t':
			b.WriteByte(' ')
		case r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029:
			b.WriteByte('?')
		case r < 0x7f || utf8ok:
			b.WriteString(s[i : i+n])
		default:
			fmt.Fprintf(&b, `\x{%X}`, r)
		}
		i += n
	}
	return strings.TrimSpace(b.String())
}

// maxText bounds what is quoted of one answer, in octets.
const maxText = 1000

// shorten cuts s between two characters.
func shorten(s string) string {
	if len(s) <= maxText {
		return s
	}
	n := maxText
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + " ..."
}

// wrap breaks s into lines of at most width octets at its spaces, and a word
// that is longer into pieces.
func wrap(s string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(s) {
		for len(word) > width {
			n := width
			for n > 1 && !utf8.RuneStart(word[n]) {
				n--
			}
			lines, line, word = append(push(lines, line), word[:n]), "", word[n:]
		}
		switch {
		case line == "":
			line = word
		case len(line)+1+len(word) > width:
			lines, line = append(lines, line), word
		default:
			line += " " + word
		}
	}
	return push(lines, line)
}

func push(lines []string, line string) []string {
	if line == "" {
		return lines
	}
	return append(lines, line)
}

// folded writes a field of foreign text, folded (RFC 5322 section 2.2.3).
func folded(b *bytes.Buffer, name, value string) {
	field(b, name, strings.Join(wrap(shorten(value), 76-len(name)), "\r\n "))
}

func ascii(p []byte) bool {
	for _, c := range p {
		if c >= 0x80 {
			return false
		}
	}
	return true
}
