package filtertest_test

import (
	"strings"
	"testing"

	"github.com/forepost/forepost/filters/filtertest"
	"github.com/forepost/forepost/filters/ratelimit"
)

func TestParseWantsAWhyAndKnownSections(t *testing.T) {
	for text, want := range map[string]string{
		"-- facts --\nresult = \"pass\"\n": "does not say why",
		"why\n-- fact --\n":                `no section "fact"`,
	} {
		if _, err := filtertest.Parse("x", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
}

func TestDecode(t *testing.T) {
	s := ratelimit.Kind().Settings().(*ratelimit.Settings)
	err := filtertest.Decode("rate = [\"1/h\", \"2/d\"]\nburst = 3\ncount = bytes\nkey = client.ip\n", s)
	if err != nil || len(s.Rate) != 2 || s.Burst != 3 || s.Count != "bytes" || s.Key == nil || s.Scope != "shared" {
		t.Errorf("%+v, %v", s, err)
	}
	for _, text := range []string{"rates = []", "burst", "burst = many", "key = moon.phase"} {
		if err := filtertest.Decode(text, s); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}
