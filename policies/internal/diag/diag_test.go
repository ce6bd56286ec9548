package diag

import (
	"regexp"
	"testing"
)

// TestCodes: every code has the form FP and four digits, a headline and a page.
func TestCodes(t *testing.T) {
	form := regexp.MustCompile(`^FP\d{4}$`)
	headlines := map[string]Code{}
	for _, c := range Codes() {
		p, ok := Explain(c)
		if !ok || !form.MatchString(string(c)) || p.Summary == "" || len(p.Why) < 20 {
			t.Errorf("%s: %+v", c, p)
		}
		if other, ok := headlines[p.Summary]; ok {
			t.Errorf("%s and %s have one headline", c, other)
		}
		headlines[p.Summary] = c
	}
}

func TestNearest(t *testing.T) {
	known := []string{"reject", "defer", "rcpt", "zen", "pass", "policy"}
	for word, want := range map[string]string{
		"rejekt": "reject", "rpct": "rcpt", "zne": "zen", "pas": "pass", "polcy": "policy", "REJECT": "reject",
		"quarantine": "", "x": "", "": "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	if got := DidYouMean("b", []string{"zz", "yy"}); got != "Known here: yy, zz." {
		t.Errorf("nothing is near: %q", got)
	}
	if got := DidYouMean("b", nil); got != "" {
		t.Errorf("nothing is known: %q", got)
	}
}
