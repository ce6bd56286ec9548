package lists

import (
	"fmt"
	"strings"
	"testing"
)

func TestFormats(t *testing.T) {
	for _, c := range []struct {
		format Format
		typ    Type
		text   string
		want   string
		errs   string
	}{
		{Lines, Word, "# x\none\ntwo words # why\n\n", "one:2 two words:3", ""},
		{Lines, Word, "\xef\xbb\xbfone\r\ntwo\t# why\r\n", "one:1 two:2", ""},
		{Lines, Word, "o\x00n\x00e\n", "", "line 1: there is a NUL"},
		{Lines, Word, "# caf\xe9\ncaf\xe9\ncaf\u00e9\n", "caf\u00e9:3", "line 2: \"caf\\xe9\" is not in UTF-8"},
		{Postfix, Word, "cafe REJECT caf\xe9\n", "cafe:1", ""},
		{Lines, Regex, `a\s#b` + "\n", `a\s#b:1`, ""},
		{Postfix, Address, "# access\na@b.test REJECT\n  and more of that\n@c.test\tOK\nbob@ OK\n", "a@b.test:2 @c.test:4 bob@:5", ""},
		{Postfix, IP, "192.0.2.0/24   REJECT\n!10.0.0.0/8 OK\n2001:db8::/32 permit\n", "192.0.2.0/24:1 2001:db8::/32:3", "line 2: \"!10.0.0.0/8 OK\" is what is not"},
		{Postfix, IP, "[2001:db8::]/48 x\n[192.0.2.1] x\n192.0.2 x\n10. x\n2001:db8 x\n2001:db8:1: x\n192.0.2.1 x\n2001:db8:1:2:3:4:5:6 x\nhost.test x\n",
			"2001:db8::/48:1 192.0.2.1:2 192.0.2.0/24:3 10.0.0.0/8:4 2001:db8::/32:5 2001:db8:1::/48:6 192.0.2.1:7 2001:db8:1:2:3:4:5:6:8 host.test:9", ""},
		{Postfix, IP, "if 10.0.0.0/8\nendif\n", "", "line 1: if and endif\nline 2: if and endif"},
		{Postfix, Regex, "/^a\\/b$/ REJECT no # more\n/x/i OK\nif /y/\n!/z/ OK\n/open\n/q/x OK\n|a/b|m OK\n//OK\nplain OK\n", "(?is)^a/b$:1 (?s)x:2 (?ims)a/b:7",
			"line 3: \"if /y/\" has no meaning\nline 4: \"!/z/ OK\" has no meaning\nline 5: \"/open\" has no / at its end\nline 6: the flag x\nline 8: \"//OK\" is an empty\nline 9: \"plain OK\" is no /pattern/"},
		{Postfix, Domain, "/b.test/ OK\n", "", "line 1: \"/b.test/ OK\" is a regular expression"},
		{Rspamd, Domain, "b.test 5.0\n#c\n.d.test # all below\n", "b.test:1 .d.test:3", ""},
		{Rspamd, Word, "\"two words\" 3.5\nthree words\n", "two words:1 three:2", ""},
		{Rspamd, Regex, "/^x/i 3.0\n/y/\nz.*\n/a.b/sm\n", "(?i)^x:1 y:2 z.*:3 (?ms)a.b:4", ""},
	} {
		items, errs := Table{Format: c.format, Type: c.typ}.Parse([]byte(c.text))
		var got []string
		for _, e := range items {
			got = append(got, fmt.Sprintf("%s:%d", e.Text, e.Line))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s, %s, %q: %q, want %q", c.format, c.typ, c.text, got, c.want)
		}
		said(t, c.text, errs, c.errs)
	}
}

// said compares errors with the beginnings of what they should say, one a line.
func said(t *testing.T, of string, errs []error, want string) {
	t.Helper()
	var wanted []string
	if want != "" {
		wanted = strings.Split(want, "\n")
	}
	for i, err := range errs {
		if i >= len(wanted) || !strings.HasPrefix(err.Error(), wanted[i]) {
			t.Errorf("%q: not expected: %v", of, err)
		}
	}
	if len(errs) != len(wanted) {
		t.Errorf("%q: %d errors, want %d", of, len(errs), len(wanted))
	}
}

func TestValues(t *testing.T) {
	items, errs := Table{Format: Postfix, Type: Domain, Values: []string{"ok", "2"}}.Parse([]byte("a.test REJECT no\nb.test OK\nc.test\nd.test 250 yes\n"))
	if fmt.Sprint(items) != "[{b.test OK 2} {d.test 250 yes 4}]" || errs != nil {
		t.Errorf("%v, %v", items, errs)
	}
}

func TestWrong(t *testing.T) {
	errs := Wrong(IP, []Entry{{Text: "192.0.2.1", Line: 1}, {Text: "192,0.2.1", Line: 7}})
	said(t, "192,0.2.1", errs, "line 7: \"192,0.2.1\": not an IP address")
}

func TestPatternsOfOtherEngines(t *testing.T) {
	for pattern, want := range map[string]string{"(?<!x)y": "(?<! looks around", "(?=x)": "(?= looks around", `(a)\1`: `\1 refers back`, "(a": "missing closing ): (a"} {
		_, err := Compile(pattern)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v", pattern, err)
		}
	}
	for pattern, want := range map[string]string{"/vi.gra/i": "(?i)vi.gra", `/a\/b/u`: "a/b", "/wp-admin/": "", "a/b/i": ""} {
		if got, is := Slashed(pattern); got != want || is != (want != "") {
			t.Errorf("%s: %q, %v", pattern, got, is)
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
			entries, _ := Table{Format: Format(Formats()[int(n)%len(Formats())]), Type: Type(typ)}.Parse([]byte(text))
			for _, e := range entries {
				if e.Text == "" || e.Line < 1 {
					t.Errorf("%q gives %+v", text, e)
				}
			}
		}
	})
}
