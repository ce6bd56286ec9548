package inbound

import "testing"

func TestParsePath(t *testing.T) {
	cases := []struct {
		arg, path, params string
		ok                bool
	}{
		{"FROM:<a@b>", "a@b", "", true},
		{"from:<a@b> SIZE=1", "a@b", " SIZE=1", true},
		{"FROM: <> BODY=8BITMIME ", "", " BODY=8BITMIME", true},
		{"FROM:a@b X", "a@b", " X", true},
		{`FROM:<"a> b"@c> X`, `"a> b"@c`, " X", true},
		{`FROM:<"a\">"@c>`, `"a\">"@c`, "", true},
		{`FROM:"a b"@c X`, `"a b"@c`, " X", true},
		{"FROM:<@x,@y:a@b>", "a@b", "", true},
		{"FROM:<a@b>X", "", "", false},
		{"FROM:<a@b", "", "", false},
		{`FROM:<"a@b>`, `"a@b`, "", true}, // mail.ParseAddress refuses it
		{"FROM:", "", "", false},
		{"FROM", "", "", false},
		{"TO:<a@b>", "", "", false},
		{"FROM:<", "", "", false},
	}
	for _, c := range cases {
		path, params, err := parsePath(c.arg, "FROM:")
		if path != c.path || params != c.params || (err == nil) != c.ok {
			t.Errorf("%q: got %q %q %v", c.arg, path, params, err)
		}
	}
}
