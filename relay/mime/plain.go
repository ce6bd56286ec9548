package mime

import "strings"

// plainText tells whether a text is printable ASCII without encoded words: to
// people it says what is written.
func plainText(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == '?' && i > 0 && s[i-1] == '=' {
			return false
		}
	}
	return true
}

// specials are what makes a word more than a word.
const specials = `",:;()[]\`

// plainMailbox reads what nearly every From is: one mailbox, as local@domain, as
// Name <local@domain> or as "Name" <local@domain>, in plain text without comments,
// escapes or lists. ok is false for anything else, which the reader of lists takes;
// of these, it would say the same.
func plainMailbox(raw string) (m Mailbox, ok bool) {
	s := strings.Trim(raw, " ")
	if strings.IndexByte(s, '@') <= 0 || !plainText(s) {
		return m, false
	}
	open := strings.IndexByte(s, '<')
	if open < 0 {
		return Mailbox{Address: s}, !strings.ContainsAny(s, " >"+specials)
	}
	name, address := s[:open], s[open+1:]
	n := len(address) - 1
	if n < 0 || address[n] != '>' {
		return m, false
	}
	address = address[:n]
	if strings.IndexByte(address, '@') <= 0 || strings.ContainsAny(address, ` "<>`) {
		return m, false
	}
	name, ok = plainName(strings.TrimRight(name, " "))
	return Mailbox{Name: name, Address: address}, ok
}

// plainName is what stands before the angle bracket: words, or one quoted string.
func plainName(s string) (name string, ok bool) {
	if strings.HasPrefix(s, `"`) && len(s) > 1 && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
		return strings.Trim(s, " "), !strings.ContainsAny(s, `"\`)
	}
	return s, !strings.ContainsAny(s, ">"+specials) && !strings.Contains(s, "  ")
}
