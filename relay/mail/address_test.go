package mail

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	long := strings.Repeat("a", 65)
	for _, c := range []struct {
		in, out string // out is String(); "" means that it is refused
		utf8    bool
		why     string
	}{
		{"bob@example.com", "bob@example.com", false, "the plain case"},
		{"Bob@EXAMPLE.com", "Bob@example.com", false, "the local part belongs to its domain, the domain has no case"},
		{`"a b"@example.com`, `"a b"@example.com`, false, "a quoted string stays quoted"},
		{`"bob"@example.com`, "bob@example.com", false, "quotes that are not needed go"},
		{`"a> SIZE=1 <b"@example.com`, `"a> SIZE=1 <b"@example.com`, false, "C4: no parameter can be smuggled out of quotes"},
		{`"a\"b\\c"@example.com`, `"a\"b\\c"@example.com`, false, "quoted pairs"},
		{`"a@b"@example.com`, `"a@b"@example.com`, false, "the domain begins behind the quotes"},
		{"bob@[192.0.2.1]", "bob@[192.0.2.1]", false, "address literal"},
		{"bob@[IPv6:2001:DB8::1]", "bob@[IPv6:2001:db8::1]", false, "IPv6 literal"},
		{"bob@[ipv6:::1]", "bob@[IPv6:::1]", false, "its tag has no case"},
		{"j\u00f6rg@example.com", "j\u00f6rg@example.com", true, "RFC 6531"},
		{"bob@b\u00fccher.example", "bob@xn--bcher-kva.example", true, "U-labels become A-labels"},
		{"j\u00f6rg@example.com", "", false, "needs SMTPUTF8"},
		{"bob@_dmarc.example.com", "bob@_dmarc.example.com", false, "underscores are met in the wild"},
		{"bob", "", false, "no domain"},
		{"@example.com", "", false, "no local part"},
		{`""@example.com`, "", false, "an empty quoted string names nobody"},
		{"bob@", "", false, "an empty domain"},
		{"bob@example..com", "", false, "an empty label"},
		{"bob@-example.com", "", false, "a label with a hyphen in front"},
		{".bob@example.com", "", false, "not a dot-string"},
		{"bo b@example.com", "", false, "a blank outside quotes"},
		{"bob@exam ple.com", "", false, "a blank in the domain"},
		{"bob\r\n@example.com", "", false, "line ends"},
		{"\"a\x00b\"@example.com", "", false, "NUL within quotes"},
		{"\"a\nb\"@example.com", "", false, "a line end within quotes"},
		{"bob@[192.0.2.256]", "", false, "not an address"},
		{"bob@[IPv6:fe80::1%eth0]", "", false, "a zone is of no meaning elsewhere"},
		{long + "@example.com", "", false, "RFC 5321 section 4.5.3.1.1: 64 octets"},
		{"bob@" + strings.Repeat("a.", 130) + "com", "", false, "too long a path"},
		{"bob@example.com>", "", false, "the end of the path is not part of it"},
		{"a\xff@example.com", "", true, "not UTF-8"},
	} {
		a, err := ParseAddress(c.in, c.utf8)
		if c.out == "" {
			if err == nil {
				t.Errorf("%s: %q was taken as %q", c.why, c.in, a)
			}
			continue
		}
		if err != nil || a.String() != c.out {
			t.Errorf("%s: %q gives %q, %v; want %q", c.why, c.in, a.String(), err, c.out)
		}
	}
}

// What goes out reads back as the same address, as text of a record too.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{"bob@example.com", `"a b\""@[192.0.2.1]`, "j\u00f6rg@b\u00fccher.example", "", `"`} {
		f.Add(s)
	}
	for _, dir := range []string{"fuzz-seeds/chasquid-smtpsrv", "fuzz-seeds/profuzzbench-smtp", "smtp-dialogs-chasquid"} {
		files, _ := filepath.Glob(filepath.Join(os.Getenv("FOREPOST_SUITES"), dir, "*"))
		for _, file := range files {
			b, _ := os.ReadFile(file)
			for _, path := range regexp.MustCompile(`<([^<>\r\n]+)>`).FindAllSubmatch(b, 20) {
				f.Add(string(path[1]))
			}
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s, true)
		if err != nil {
			return
		}
		out := a.String()
		if strings.ContainsAny(out, "\r\n\x00") {
			t.Fatalf("%q goes out as %q", s, out)
		}
		b, err := ParseAddress(out, true)
		if err != nil || a != b {
			t.Fatalf("%q goes out as %q, which reads as %q, %v", s, out, b, err)
		}
		var c Address
		if text, _ := a.MarshalText(); c.UnmarshalText(text) != nil || c != a {
			t.Fatalf("%q as text is %q, which reads as %q", s, text, c)
		}
	})
}

func TestPostmasterWithoutDomain(t *testing.T) {
	a := Address{Local: "Postmaster"} // RFC 5321 section 4.1.1.3
	var b Address
	if err := b.UnmarshalText([]byte(a.String())); err != nil || a != b {
		t.Errorf("<Postmaster> is kept as %q and read as %+v, %v", a, b, err)
	}
}
