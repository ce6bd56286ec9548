package diag

import (
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
// is near enough to be meant.
func Nearest(word string, known []string) string {
	best, at := "", 1+max(1, len(word)/3)
	for _, k := range known {
		if d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(k), nil); d < at {
			best, at = k, d
		}
	}
	return best
}
