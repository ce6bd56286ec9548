// Package line makes text from outside fit for reasons, facts and replies.
package line

import (
	"strings"
	"unicode"
)

// Max is how many octets Clean leaves.
const Max = 400

// Clean is s as one line: without controls and invisible signs, valid UTF-8,
// at most Max octets.
func Clean(s string) string {
	if len(s) <= Max && plain(s) {
		return strings.TrimSpace(s)
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r):
			return ' '
		case r == unicode.ReplacementChar || unicode.Is(unicode.Cf, r):
			return '?'
		}
		return r
	}, s[:min(len(s), 2*Max)])
	if len(s) > Max {
		s = strings.ToValidUTF8(s[:Max], "")
	}
	return strings.TrimSpace(s)
}

// plain tells whether s is printable ASCII, which is fit as it is.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
