package wire

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestResolve(t *testing.T) {
	for _, c := range []struct {
		in   string
		max  uint32
		want []Range
	}{
		{"1", 9, []Range{{1, 1}}},
		{"5:3,1", 9, []Range{{1, 1}, {3, 5}}},
		{"*:7", 9, []Range{{7, 9}}},
		{"12:*", 9, []Range{{9, 12}}},
		{"1:3,2:5,6", 9, []Range{{1, 6}}},
		{"4294967295,1:4294967294", 9, []Range{{1, 4294967295}}},
	} {
		d, _ := decode(c.in + "\r\n")
		if got := d.Set().Resolve(c.max); !slices.Equal(got, c.want) || d.Err() != nil {
			t.Errorf("%s of %d: %v, %v", c.in, c.max, got, d.Err())
		}
	}
}

func TestContains(t *testing.T) {
	rs := []Range{{1, 1}, {3, 5}, {9, 9}}
	for n, want := range []bool{false, true, false, true, true, true, false, false, false, true, false} {
		if Contains(rs, uint32(n)) != want {
			t.Error(n)
		}
	}
}

func TestFormatSetReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ns := rapid.SliceOfNDistinct(rapid.Uint32Range(1, 60), 1, 40, rapid.ID).Draw(t, "ns")
		slices.Sort(ns)
		d, _ := decode(FormatSet(ns) + "\r\n")
		d.lim.Line = 1000
		rs := d.Set().Resolve(60)
		for n := uint32(1); n <= 60; n++ {
			if _, in := slices.BinarySearch(ns, n); in != Contains(rs, n) {
				t.Fatalf("%v: %d", ns, n)
			}
		}
	})
}

func TestUTF7(t *testing.T) {
	for _, c := range [][2]string{
		{"INBOX", "INBOX"}, {"R&D", "R&-D"}, {"Entw\u00fcrfe", "Entw&APw-rfe"},
		{"~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"}, // RFC 3501 section 5.1.3
		{"\U0001F600", "&2D3eAA-"},
	} {
		if got := EncodeUTF7(c[0]); got != c[1] {
			t.Errorf("encode %q: %q", c[0], got)
		}
		if got, ok := DecodeUTF7(c[1]); got != c[0] || !ok {
			t.Errorf("decode %q: %q, %v", c[1], got, ok)
		}
	}
	for _, bad := range []string{"&", "&AGE-", "&AP", "a&U,BTFw-&ZeVnLIqe-", "&2D0-", "\u00fc", "&AAA!-", "a\x01"} {
		if got, ok := DecodeUTF7(bad); ok {
			t.Errorf("%q was taken as %q", bad, got)
		}
	}
}

func TestUTF7RoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.String().Filter(func(s string) bool { return !strings.ContainsRune(s, '\uFFFD') }).Draw(t, "name")
		if got, ok := DecodeUTF7(EncodeUTF7(name)); !ok || got != name {
			t.Fatalf("%q came back as %q", name, got)
		}
	})
}

func TestEncoderString(t *testing.T) {
	for _, c := range []struct {
		why, in, want string
		utf8          bool
	}{
		{"plain", "abc", `"abc"`, false},
		{"quoting", `a"b\`, `"a\"b\\"`, false},
		{"8-bit needs a literal", "\u00fc", "{2}\r\n\u00fc", false},
		{"unless enabled", "\u00fc", "\"\u00fc\"", true},
		{"what is not UTF-8 never", "\xfc", "{1}\r\n\xfc", true},
		{"line ends cannot inject a response", "a\r\nb", "{4}\r\na\r\nb", false},
		{"no literal holds NUL", "a\x00b", "{3}\r\na?b", false},
	} {
		var b strings.Builder
		e := NewEncoder(&b)
		e.UTF8 = c.utf8
		e.String(c.in)
		if e.Flush(); b.String() != c.want {
			t.Errorf("%s: %q", c.why, b.String())
		}
	}
}

func TestLineHasOneLineEnd(t *testing.T) {
	var b strings.Builder
	e := NewEncoder(&b)
	e.Line("* NO ", "text\r\n* BYE")
	e.Flush()
	if got := b.String(); got != "* NO text  * BYE\r\n" {
		t.Errorf("%q", got)
	}
}

// A message that is shorter than its size must not let the client wait for the
// rest in the next response.
func TestLiteralTooShort(t *testing.T) {
	var b strings.Builder
	e := NewEncoder(&b)
	if e.Literal(10, strings.NewReader("abc"), false); e.Err() == nil {
		t.Error("nothing was said")
	}
}
