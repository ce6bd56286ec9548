package expr

import (
	"testing"
	"time"
)

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{"90s": 90 * time.Second, "1h30m": 90 * time.Minute, "30d": 720 * time.Hour, "2w": 336 * time.Hour, "0.5d": 12 * time.Hour} {
		if got, err := ParseDuration(s); err != nil || got != want {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "soon", "-5m", "5", "NaNd", "-1d", "1e9d", "d"} {
		if got, err := ParseDuration(s); err == nil {
			t.Errorf("%q is %v", s, got)
		}
	}
}

func TestParseSize(t *testing.T) {
	for s, want := range map[string]int64{"100": 100, "1KB": 1024, "20MB": 20 << 20, "1.5 GiB": 3 << 29, "5b": 5} {
		if got, err := ParseSize(s); err != nil || got != want {
			t.Errorf("%q: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "lots", "-1", "NaN", "inf", "1e30", "MB"} {
		if got, err := ParseSize(s); err == nil {
			t.Errorf("%q is %v", s, got)
		}
	}
}

func TestSimilar(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"example.com", "example.com", true},
		{"examp1e.com", "example.com", true},
		{"exarnple.com", "example.com", true},
		{"ex\u0430mple.com", "example.com", true}, // a Cyrillic a
		{"exampel.net", "example.com", false},
		{"", "example.com", false},
		{"abc", "abd", false}, // too short for an edit
	} {
		if got := similar(c.a, c.b); got != c.want {
			t.Errorf("%q and %q: %v", c.a, c.b, got)
		}
	}
}

// TestAddresses: what parsers refuse is still looked into.
func TestAddresses(t *testing.T) {
	for raw, want := range map[string]nameAddress{
		` "Ann B" <ann@X.test>`:                       {"Ann B", "ann@x.test"},
		" =?utf-8?q?J=C3=BCrgen?= <j@x.test>":         {"J\u00fcrgen", "j@x.test"},
		" boss@good.test <thief@bad.test>":            {"boss@good.test", "thief@bad.test"},
		" see thief@bad.test, please":                 {"see", "thief@bad.test"},
		" =?iso-8859-1?q?Gr=FC=DFe?= <\r\n j@x.test>": {"Gr\u00fc\u00dfe", "j@x.test"},
	} {
		got := addressesOf(raw)
		if len(got) == 0 || got[0] != want {
			t.Errorf("%q: got %+v, want %+v", raw, got, want)
		}
	}
	if got := addressesOf(" nobody"); got != nil {
		t.Errorf("nobody is %v", got)
	}
}

func TestListID(t *testing.T) {
	for raw, want := range map[string]string{"News <News.Example.test>": "news.example.test", "plain.test": "plain.test", "": ""} {
		if got := listID(raw); got != want {
			t.Errorf("%q: %q", raw, got)
		}
	}
}
