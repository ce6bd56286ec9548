package lists

import (
	"fmt"
	"testing"
)

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		format Format
		typ    Type
		text   string
		want   string
		errs   int
	}{
		{Lines, Word, "# x\none\ntwo words # why\n\n", "[{one 2} {two words 3}]", 0},
		{Postfix, Address, "# access\na@b.test REJECT\n  and more of that\n@c.test\tOK\n", "[{a@b.test 2} {@c.test 4}]", 0},
		{Postfix, IP, "192.0.2.0/24   REJECT\n!10.0.0.0/8 OK\n2001:db8::/32 permit\n", "[{192.0.2.0/24 1} {2001:db8::/32 3}]", 1},
		{Postfix, Regex, "/^a\\/b$/ REJECT no # more\n/x/i OK\nif /y/\n!/z/ OK\n/open\n/q/x OK\n", "[{(?i)^a/b$ 1} {x 2}]", 4},
		{Rspamd, Domain, "b.test 5.0\n#c\n.d.test # all below\n", "[{b.test 1} {.d.test 3}]", 0},
		{Rspamd, Regex, "/^x/i 3.0\n/y/\nz.*\n", "[{(?i)^x 1} {y 2} {z.* 3}]", 0},
	} {
		got, errs := Parse(c.format, c.typ, []byte(c.text))
		if fmt.Sprint(got) != c.want || len(errs) != c.errs {
			t.Errorf("%s, %s: %v, %v, want %s", c.format, c.typ, got, errs, c.want)
		}
	}
}

func TestReplace(t *testing.T) {
	l := Awaited(Address)
	if l.Known() || l.Has("a@b.test") || l.Len() != 0 {
		t.Error("a list that was never read is known")
	}
	if errs := l.Replace([]string{"a@b.test"}); errs != nil || !l.Known() || !l.Has("A@b.test") {
		t.Errorf("%v", errs)
	}
	if errs := l.Replace([]string{"c@b.test", "no address"}); len(errs) != 1 || !l.Has("a@b.test") || l.Has("c@b.test") {
		t.Errorf("a list with a mistake took the place of a good one: %v", errs)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("/a\\/b/i x\n", uint8(1))
	f.Fuzz(func(t *testing.T, text string, n uint8) {
		for _, typ := range Types() {
			entries, _ := Parse(Format(Formats()[int(n)%len(Formats())]), Type(typ), []byte(text))
			for _, e := range entries {
				if e.Text == "" || e.Line < 1 {
					t.Errorf("%q gives %+v", text, e)
				}
			}
		}
	})
}
