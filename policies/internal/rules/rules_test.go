package rules

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/forepost/forepost/relay/pipeline"
)

func TestPoints(t *testing.T) {
	for n, want := range map[float64]pipeline.Points{1.5: 1500, -0.001: -1, 0.1 + 0.2: 300, math.Inf(1): 1e9, math.NaN(): 0} {
		if got := ToPoints(n); got != want {
			t.Errorf("%v: %d", n, got)
		}
	}
	for p, want := range map[pipeline.Points]string{7700: "7.7", -2000: "-2", 0: "0"} {
		if got := FormatPoints(p); got != want {
			t.Errorf("%d: %s", p, got)
		}
	}
}

// TestClean: what a sender writes cannot end a reply line, and is cut between
// characters.
func TestClean(t *testing.T) {
	for s, want := range map[string]string{"a\r\nb": "a b", "a\nb\x00c\x7f": "a b c ", "a\xffb": "a?b"} {
		if got := clean(s, 100); got != want {
			t.Errorf("%q: %q", s, got)
		}
	}
	if got := clean(strings.Repeat("\u00fc", 10), 5); got != "\u00fc\u00fc" || !utf8.ValidString(got) {
		t.Errorf("cut: %q", got)
	}
}

func TestThresholdsOver(t *testing.T) {
	p := func(n pipeline.Points) *pipeline.Points { return &n }
	got := Thresholds{Tag: p(1), Reject: p(9)}.Over(Thresholds{Reject: p(5), Quarantine: p(3)})
	if *got.Tag != 1 || *got.Quarantine != 3 || *got.Reject != 5 {
		t.Errorf("got %v", got)
	}
}
