package pipeline

import (
	"strings"
	"testing"
)

func TestAuthResults(t *testing.T) {
	f := AuthenticationResults("mx.test", []AuthResult{
		{Method: "spf", Result: "pass", Props: []Prop{{Name: "smtp.mailfrom", Value: "a@b.test"}, {Name: "smtp.helo"}}},
		{Method: "dkim", Result: "fail", Reason: "a \"bad\"\r\nkey; dkim=pass", Props: []Prop{{Name: "header.d", Value: "b.test;\r\nX: y"}}},
	})
	want := "mx.test;\r\n\tspf=pass\r\n\t smtp.mailfrom=a@b.test;\r\n\tdkim=fail reason=\"a \\\"bad\\\"??key; dkim=pass\"\r\n\t header.d=\"b.test;??X: y\""
	if f.Name != "Authentication-Results" || f.Value != want {
		t.Errorf("got  %q\nwant %q", f.Value, want)
	}
	long := AuthenticationResults("mx.test", []AuthResult{{Method: "spf", Result: "pass", Reason: strings.Repeat("x", 10000)}})
	for _, l := range strings.Split(long.Value, "\r\n") {
		if len(l) > 998 {
			t.Errorf("a line of %d octets", len(l))
		}
	}
}
