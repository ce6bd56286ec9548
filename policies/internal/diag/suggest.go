package diag

import (
	"slices"
	"sort"
	"strings"

	"github.com/agext/levenshtein"
)

// DidYouMean is the sentence that suggests the nearest of the known words, or
// lists them where none is near and they are few.
func DidYouMean(word string, known []string) string {
	if near := Nearest(word, known); near != "" {
		return "Did you mean \"" + near + "\"?"
	}
	if len(known) == 0 || len(known) > 12 {
		return ""
	}
	sorted := append([]string(nil), known...)
	sort.Strings(sorted)
	return "Known here: " + strings.Join(sorted, ", ") + "."
}

// Nearest is the known word at the least edit distance from word, "" where none
// is near enough to be meant. The same letters in another order are near.
func Nearest(word string, known []string) string {
	best, at := "", 1+max(1, len(word)/3)
	for _, k := range known {
		d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(k), nil)
		if d > 1 && letters(word) == letters(k) {
			d = 1
		}
		if d < at || d == at && best != "" && k < best {
			best, at = k, d
		}
	}
	return best
}

func letters(s string) string {
	b := []byte(strings.ToLower(s))
	slices.Sort(b)
	return string(b)
}
