package mime

import "strings"

// What stands in a text, as bits.
const (
	aSpace   = 1 << iota
	aQuote   // "
	aSlash   // \
	aSpecial // what makes a word more than a word: , : ; ( ) [ ]
	anAngle  // < >
	anOdd    // controls, and what is not ASCII
)

// kinds are the bits of each octet.
var kinds = func() (of [256]uint8) {
	for c := range of {
		switch {
		case c < ' ' || c > '~':
			of[c] = anOdd
		case strings.IndexByte(",:;()[]", byte(c)) >= 0:
			of[c] = aSpecial
		}
	}
	of[' '], of['"'], of['\\'], of['<'], of['>'] = aSpace, aQuote, aSlash, anAngle, anAngle
	return of
}()

// kindsOf tells what stands in a text.
func kindsOf(s string) (all uint8) {
	for i := 0; i < len(s); i++ {
		all |= kinds[s[i]]
	}
	return all
}

// plainText tells whether a text is printable ASCII without encoded words: to
// people it says what is written.
func plainText(s string) bool { return kindsOf(s)&anOdd == 0 && !strings.Contains(s, "=?") }

// plainMailbox reads what nearly every From is: one mailbox, as local@domain, as
// Name <local@domain> or as "Name" <local@domain>, in plain text without comments,
// escapes or lists. ok is false for anything else, which the reader of lists takes;
// of these, it would say the same.
func plainMailbox(raw string) (m Mailbox, ok bool) {
	s := strings.Trim(raw, " ")
	open := strings.IndexByte(s, '<')
	if open < 0 {
		return Mailbox{Address: s}, strings.IndexByte(s, '@') > 0 && kindsOf(s) == 0 && !strings.Contains(s, "=?")
	}
	last := len(s) - 1
	if s[last] != '>' {
		return m, false
	}
	address := s[open+1 : max(last, open+1)]
	if strings.IndexByte(address, '@') <= 0 || kindsOf(address)&^aSpecial&^aSlash != 0 {
		return m, false
	}
	name, ok := plainName(strings.TrimRight(s[:open], " "))
	return Mailbox{Name: name, Address: address}, ok
}

// plainName is what stands before the angle bracket: words, or one quoted string.
func plainName(s string) (name string, ok bool) {
	if strings.Contains(s, "=?") {
		return "", false
	}
	if strings.HasPrefix(s, `"`) && len(s) > 1 && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
		return strings.Trim(s, " "), kindsOf(s)&(aQuote|aSlash|anOdd) == 0
	}
	return s, kindsOf(s)&^aSpace == 0 && !strings.Contains(s, "  ")
}
