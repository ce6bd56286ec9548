package mime

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	cases := []struct {
		why, fields string
		want        []string
		ambiguous   bool
	}{
		{"plain", "Content-Disposition: attachment; filename=a.txt", []string{"a.txt"}, false},
		{"quoted, both alike", "Content-Type: text/plain; name=\"a b.txt\"\nContent-Disposition: attachment; filename=\"a b.txt\"", []string{"a b.txt"}, false},
		{"they disagree", "Content-Type: text/plain; name=a.txt\nContent-Disposition: attachment; filename=b.exe", []string{"b.exe", "a.txt"}, true},
		{"pieces", "Content-Disposition: attachment; filename*0=\"in\"; filename*1=\"voice.exe\"", []string{"invoice.exe"}, false},
		{"pieces out of order (Exim CVE-2024-39929)", "Content-Disposition: attachment; filename*1=exe; filename*0=\"a.\"", []string{"a.exe", "exea."}, true},
		{"pieces with a gap", "Content-Disposition: attachment; filename*0=a.; filename*2=exe", []string{"a.", "a.exe"}, true},
		{"extended", "Content-Disposition: attachment; filename*=utf-8'en'%e2%82%ac%20rates.txt", []string{"\u20ac rates.txt"}, false},
		{"extended pieces", "Content-Disposition: attachment; filename*0*=iso-8859-1''%a3; filename*1=5.txt", []string{"\u00a35.txt"}, false},
		{"an encoded word where none belongs", "Content-Disposition: attachment; filename=\"=?utf-8?q?b=C3=B6se.exe?=\"", []string{"b\u00f6se.exe"}, false},
		{"text behind the quotes", "Content-Disposition: attachment; filename=\"a.txt\".exe", []string{"a.txt", "a.txt.exe"}, true},
		{"a bracket in an unquoted name", "Content-Disposition: attachment; filename=a (1).exe", []string{"a", "a (1).exe"}, true},
		{"the disposition twice", "Content-Disposition: attachment; filename=a.txt\nContent-Disposition: attachment; filename=b.exe", []string{"a.txt", "b.exe"}, true},
		{"a name over two lines", "Content-Type: application/x;\n name=a.exe", []string{"a.exe"}, false},
		{"8-bit octets", "Content-Disposition: attachment; filename=\"\xfcber.txt\"", []string{"\u00fcber.txt"}, false},
	}
	for _, c := range cases {
		p := parseWhole(crlf(from + c.fields + "\n\n"))
		if !reflect.DeepEqual(p.Names, c.want) || p.Has(DefectAmbiguousName) != c.ambiguous {
			t.Errorf("%s: got %q ambiguous %v, want %q %v", c.why, p.Names, p.Has(DefectAmbiguousName), c.want, c.ambiguous)
		}
	}
}

func TestText(t *testing.T) {
	cases := []struct{ why, raw, want string }{
		{"plain", " hello", "hello"},
		{"folded", " hello\r\n\tworld", "hello world"},
		{"Q", " =?ISO-8859-1?Q?Andr=E9?= Pirard", "Andr\u00e9 Pirard"},
		{"B", "=?utf-8?B?w6k=?=", "\u00e9"},
		{"B without padding", "=?utf-8?B?w6k?=", "\u00e9"},
		{"space between words is not shown", "=?utf-8?q?a?= \r\n =?utf-8?q?b?=", "ab"},
		{"space before text is", "=?utf-8?q?a?= b", "a b"},
		{"a character over two words", "=?utf-8?q?=C3?= =?utf-8?q?=A9?=", "\u00e9"},
		{"two charsets", "=?utf-8?q?a?= =?iso-8859-1?q?=e9?=", "a\u00e9"},
		{"an underscore", "=?utf-8?q?a_b?=", "a b"},
		{"a language", "=?utf-8*en?q?a?=", "a"},
		{"an unknown charset", "=?nothing-1?q?a?=", "a"},
		{"broken ones stay", "=?utf-8?x?a?= =?utf-8?q?a", "=?utf-8?x?a?= =?utf-8?q?a"},
		{"controls go", "a\x01b=?utf-8?q?=0D=0Ac?=", "abc"},
		{"8-bit that is no UTF-8", "caf\xe9", "caf\u00e9"},
		{"japanese", "=?ISO-2022-JP?B?GyRCRnxLXBsoQg==?=", "\u65e5\u672c"},
	}
	for _, c := range cases {
		if got := (Field{Raw: c.raw}).Text(); got != c.want {
			t.Errorf("%s: got %q, want %q", c.why, got, c.want)
		}
	}
}

func TestMailboxes(t *testing.T) {
	one := func(name, addr string) []Mailbox { return []Mailbox{{Name: name, Address: addr}} }
	cases := []struct {
		why, raw string
		want     []Mailbox
		ok       bool
	}{
		{"bare", " a@b.test", one("", "a@b.test"), true},
		{"with name", "Ann Other <a@b.test>", one("Ann Other", "a@b.test"), true},
		{"quoted name", `"Other, Ann" <a@b.test>`, one("Other, Ann", "a@b.test"), true},
		{"an address as name", `"ceo@bank.test" <x@evil.test>`, one("ceo@bank.test", "x@evil.test"), true},
		{"encoded name", "=?utf-8?q?Andr=C3=A9?= <a@b.test>", one("Andr\u00e9", "a@b.test"), true},
		{"comment as name", "a@b.test (Ann)", one("Ann", "a@b.test"), true},
		{"two", "a@b.test, <c@d.test>", []Mailbox{{"", "a@b.test", ""}, {"", "c@d.test", ""}}, true},
		{"group", "team: a@b.test, c@d.test;, e@f.test", []Mailbox{{"", "a@b.test", "team"}, {"", "c@d.test", "team"}, {"", "e@f.test", ""}}, true},
		{"empty group", "undisclosed-recipients:;", nil, true},
		{"empty members", "a@b.test,,", one("", "a@b.test"), true},
		{"quoted local part", `"a b"@c.test`, one("", `"a b"@c.test`), true},
		{"a bracket in quotes", `<"a>b"@c.test>`, one("", `"a>b"@c.test`), true},
		{"route", "<@x.test,@y.test:a@b.test>", one("", "a@b.test"), true},
		{"obsolete spaces", "a . b @ c.test", one("", "a.b@c.test"), true},
		{"literal", "a@[IPv6:::1]", one("", "a@[IPv6:::1]"), true},
		{"nested comments", "(a (b) c) x@y.test", one("a (b) c", "x@y.test"), true},
		{"no bracket", "Ann <a@b.test", one("Ann", "a@b.test"), false},
		{"no at sign", "Ann", one("", "Ann"), false},
		{"two brackets", "<a@b.test> <c@d.test>", []Mailbox{{"", "a@b.test", ""}, {"", "c@d.test", ""}}, false},
		{"name without brackets", "Ann a@b.test", one("Ann", "a@b.test"), false},
		{"null path", "<>", one("", ""), false},
		{"nothing", "", nil, true},
	}
	for _, c := range cases {
		got, ok := Mailboxes(c.raw)
		if !reflect.DeepEqual(got, c.want) || ok != c.ok {
			t.Errorf("%s: got %q %v, want %q %v", c.why, got, ok, c.want, c.ok)
		}
	}
}

func TestContent(t *testing.T) {
	cases := []struct{ why, fields, body, want string }{
		{"7bit", "", "a\nb", "a\r\nb"},
		{"base64", "Content-Transfer-Encoding: BASE64\n", "aGVs\nbG8=\n", "hello"},
		{"base64 with rubbish", "Content-Transfer-Encoding: base64\n", "aG!Vs bG8", "hello"},
		{"base64 pieces joined", "Content-Transfer-Encoding: base64\n", "aGVsbG8=aGVsbG8=", "hellohello"},
		{"quoted-printable", "Content-Transfer-Encoding: quoted-printable\n", "a=3Db=\nc  \nd", "a=bc\r\nd"},
		{"a soft break with spaces", "Content-Transfer-Encoding: quoted-printable\n", "a= \nb", "ab"},
		{"damage", "Content-Transfer-Encoding: quoted-printable\n", "a=b=zz==3d=", "a=b=zz===" /* == then 3d undone, then = */},
		{"lower case hex", "Content-Transfer-Encoding: quoted-printable\n", "=c3=a9", "\u00e9"},
		{"charset", "Content-Type: text/plain; charset=iso-8859-1\n", "\xe9", "\u00e9"},
		{"no charset", "", "\xe9 \u00e9", "\u00e9 \u00e9"},
	}
	for _, c := range cases {
		msg := crlf(from + c.fields + "\n" + c.body)
		got, err := io.ReadAll(parseWhole(msg).UTF8(bytes.NewReader(msg)))
		if err != nil || string(got) != c.want {
			t.Errorf("%s: got %q %v, want %q", c.why, got, err, c.want)
		}
		// Octet by octet must come to the same.
		slow, _ := io.ReadAll(parseWhole(msg).UTF8(oneByte{msg}))
		if string(slow) != c.want {
			t.Errorf("%s: octet by octet %q", c.why, slow)
		}
	}
}

type oneByte struct{ b []byte }

func (o oneByte) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(o.b)) {
		return 0, io.EOF
	}
	if len(p) > 1 {
		p = p[:1]
	}
	return copy(p, o.b[off:]), nil
}

func TestGetAll(t *testing.T) {
	p := parseWhole(crlf("Subject: a\n b\nX: 1\nx: 2\n\n"))
	if got := p.Get("SUBJECT"); got != "a b" {
		t.Errorf("Get gave %q", got)
	}
	if fs := p.All("X"); len(fs) != 2 || strings.TrimSpace(fs[1].Raw) != "2" {
		t.Errorf("All gave %v", fs)
	}
	if p.Get("Nothing") != "" {
		t.Error("Get of a field that is not there")
	}
}
