package diag

import (
	"regexp"
	"strings"
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

// TestSourceIsHarmless: a line of a list that somebody else wrote is shown without
// what a terminal would act on, and not whole where it is endless.
func TestSourceIsHarmless(t *testing.T) {
	b := &Bag{}
	b.AddText("a.txt", []byte("one\n\x1b[2Jcaf\xe9\u202e\tx\n"+strings.Repeat("y", 1<<20)+"\n"), "list \"a\"")
	b.Error(BadValue, b.Line("a.txt", 2), "", "")
	b.Error(BadValue, b.Line("a.txt", 3), "", "")
	b.Error(BadValue, b.Line("a.txt", 9), "", "")
	ds := b.All()
	if len(ds) != 3 || ds[1].Source != "\uFFFD[2Jcaf\uFFFD\uFFFD\tx" || len(ds[2].Source) != maxSource+3 || ds[1].In != `list "a"` {
		t.Errorf("%+v", ds)
	}
}
