package inbound

import (
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/pipeline"
)

func TestAuthResults(t *testing.T) {
	f := authResults("mx.test", []pipeline.AuthResult{
		{Method: "spf", Result: "pass", Props: []pipeline.Prop{{Name: "smtp.mailfrom", Value: "a@b.test"}, {Name: "smtp.helo"}}},
		{Method: "dkim", Result: "fail", Reason: "a \"bad\"\r\nkey; dkim=pass", Props: []pipeline.Prop{{Name: "header.d", Value: "b.test;\r\nX: y"}}},
	})
	want := "mx.test;\r\n\tspf=pass\r\n\t smtp.mailfrom=a@b.test;\r\n\tdkim=fail reason=\"a \\\"bad\\\"??key; dkim=pass\"\r\n\t header.d=\"b.test;??X: y\""
	if f.Name != "Authentication-Results" || f.Value != want {
		t.Errorf("got  %q\nwant %q", f.Value, want)
	}
	long := authResults("mx.test", []pipeline.AuthResult{{Method: "spf", Result: "pass", Reason: strings.Repeat("x", 10000)}})
	for _, l := range strings.Split(long.Value, "\r\n") {
		if len(l) > 998 {
			t.Errorf("a line of %d octets", len(l))
		}
	}
}

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
