package line

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		" a\r\nSubject: b\t":  "a  Subject: b",
		"a\x00\x1b[31mb":      "a  [31mb",
		"exe.\u202egpj\u200b": "exe.?gpj?",
		"\xff\xfe":            "??",
		"gr\u00fc\u00df":      "gr\u00fc\u00df",
		"":                    "",
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
	if s := Clean(strings.Repeat("\u00e4", 10000)); len(s) > Max || !utf8.ValidString(s) {
		t.Errorf("%d octets, valid %v", len(s), utf8.ValidString(s))
	}
}
