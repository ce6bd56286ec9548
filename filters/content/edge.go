package content

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// edge tells at which sides of a word a word must end.
type edge struct{ before, after bool }

// whole tells whether a word stands alone: not within a longer one.
func (e edge) whole(s string, from, to int) bool {
	if e.before {
		if r, _ := utf8.DecodeLastRuneInString(s[:from]); joins(r) {
			return false
		}
	}
	if e.after {
		if r, _ := utf8.DecodeRuneInString(s[to:]); joins(r) {
			return false
		}
	}
	return true
}

// unspaced are the scripts that put no blanks between words, or join endings to
// them: there a word may stand anywhere.
var unspaced = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar,
}

// joins tells whether r makes one word with a letter beside it.
func joins(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z'
	}
	if r == utf8.RuneError || strings.ContainsRune("\u2019\u02bc", r) {
		return false
	}
	return (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)) && !unicode.In(r, unspaced...)
}
