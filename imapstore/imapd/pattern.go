package imapd

import "strings"

// matches tells whether a mailbox name fits a pattern of LIST: "*" is any run
// of characters, "%" one without the delimiter (RFC 9051 section 6.3.9). It
// takes time in proportion to both lengths at worst, whatever the pattern.
func matches(pattern, name string) bool {
	if strings.EqualFold(name, "INBOX") { // RFC 9051 section 5.1: in any case
		name, pattern = "INBOX", strings.ToUpper(pattern)
	}
	// reach[i] tells whether the pattern up to now can have used name[:i].
	reach := make([]bool, len(name)+1)
	reach[0] = true
	for p := 0; p < len(pattern); p++ {
		switch c := pattern[p]; c {
		case '*', '%':
			for i := 1; i <= len(name); i++ {
				reach[i] = reach[i] || reach[i-1] && (c == '*' || name[i-1] != delimiter[0])
			}
		default:
			for i := len(name); i > 0; i-- {
				reach[i] = reach[i-1] && name[i-1] == c
			}
			reach[0] = false
		}
	}
	return reach[len(name)]
}

// matchesAny tells whether a name fits one of the patterns.
func matchesAny(patterns []string, name string) bool {
	for _, p := range patterns {
		if matches(p, name) {
			return true
		}
	}
	return false
}
