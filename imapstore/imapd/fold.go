package imapd

import (
	"unicode"
	"unicode/utf8"
)

// fold is the form in which texts are compared (RFC 9051 section 6.4.4: without
// regard to case): simple case folding, each character on its own.
func fold(s string) string { return string(appendFold(nil, []byte(s))) }

func appendFold(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if 'A' <= c && c <= 'Z' {
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			i++
			continue
		}
		r, n := utf8.DecodeRune(s[i:])
		dst = utf8.AppendRune(dst, foldRune(r))
		i += n
	}
	return dst
}

// foldRune is the same for all characters that differ in case only: the lower
// case of the upper case, so that both sigmas meet.
func foldRune(r rune) rune { return unicode.ToLower(unicode.ToUpper(r)) }

// fullRunes is how much of b holds whole characters: the rest waits for more.
func fullRunes(b []byte) int {
	for i := 1; i <= utf8.UTFMax && i <= len(b); i++ {
		if utf8.RuneStart(b[len(b)-i]) {
			if utf8.FullRune(b[len(b)-i:]) {
				break
			}
			return len(b) - i
		}
	}
	return len(b)
}
