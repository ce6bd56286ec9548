package inbound

import (
	"strings"
	"testing"
)

func TestAuthservID(t *testing.T) {
	cases := map[string]string{
		" mx.test; spf=pass":                   "mx.test",
		" mx.test 1; spf=pass":                 "mx.test",
		"\r\n\tmx.test\r\n\t;x=y":              "mx.test",
		" (c (d\\) e) f) mx.test(x);":          "mx.test",
		` "mx.test" ; x`:                       "mx.test",
		` "mx\.test"`:                          "mx.test",
		" mx.test.;":                           "mx.test",
		"mx.test":                              "mx.test",
		" other.test; mx.test=pass":            "other.test",
		" (mx.test) other.test":                "other.test",
		"":                                     "",
		" (never closed mx.test":               "",
		strings.Repeat("(", 100000) + "x":      "",
		" " + strings.Repeat("()", 1000) + ";": "",
	}
	for raw, want := range cases {
		if got := authservID(raw); got != want {
			t.Errorf("%.40q: got %q, want %q", raw, got, want)
		}
	}
}
