package imapd

import (
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"
)

func TestFold(t *testing.T) {
	for _, c := range [][2]string{
		{"ABC", "abc"}, {"Z\u00dcRICH", "z\u00fcrich"},
		{"\u03a3\u03c3\u03c2", "\u03c3\u03c3\u03c3"}, // the two small sigmas are one letter
	} {
		if fold(c[0]) != fold(c[1]) {
			t.Errorf("%q and %q: %q, %q", c[0], c[1], fold(c[0]), fold(c[1]))
		}
	}
}

// A needle is found wherever the pieces break in which a text is read.
func TestContainsInPieces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 200, -1).Draw(t, "text")
		runes := []rune(text)
		from := rapid.IntRange(0, len(runes)).Draw(t, "from")
		to := rapid.IntRange(from, len(runes)).Draw(t, "to")
		needle := fold(strings.ToUpper(string(runes[from:to])))
		if !strings.Contains(fold(text), needle) {
			t.Skip("a letter whose upper case is longer")
		}
		var s scratch
		if !s.contains(iotest.OneByteReader(strings.NewReader(text)), needle) {
			t.Fatalf("%q not found in %q", needle, text)
		}
	})
}

func TestContainsAcrossBuffers(t *testing.T) {
	var s scratch
	long := strings.Repeat("x", 16<<10-3) + "needle" + strings.Repeat("y", 20<<10)
	if !s.contains(strings.NewReader(long), "needle") || s.contains(strings.NewReader(long), "needles") {
		t.Error("across the border of two buffers")
	}
}
