package lists

import (
	"fmt"
	"net/netip"
	"testing"
)

func TestHas(t *testing.T) {
	hash := "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae" // of foo
	cases := []struct {
		typ   Type
		items string
		ask   string
		want  bool
		why   string
	}{
		{Address, "a@b.test", "A@B.test", true, "case does not count"},
		{Address, "a@b.test", "x@b.test", false, "another mailbox"},
		{Address, "@b.test", "x@b.test", true, "a whole domain"},
		{Address, "@b.test", "x@sub.b.test", false, "a domain is not those below it"},
		{Address, "b.test", "x@b.test", true, "the @ may be left out"},
		{Address, "*@b.test", "x@b.test", true, "or written as a glob"},
		{Address, ".b.test", "x@a.b.test", true, "domains below"},
		{Address, "*.b.test", "x@c.a.b.test", true, "however far"},
		{Address, ".b.test", "x@b.test", false, "not itself"},
		{Address, ".b.test", "x@ab.test", false, "labels are whole"},
		{Address, ".b.test", "a.b.test", true, "a domain alone"},
		{Address, "bob@", "Bob@any.test", true, "a person anywhere"},
		{Address, "bob@", "bo@any.test", false, "another person"},
		{Address, "bob@", "any.test", false, "a domain is no person"},
		{Domain, "b.test", "b.test", true, ""},
		{Domain, "b.test", "a.b.test", false, "itself only"},
		{Domain, ".b.test", "a.b.test", true, "below"},
		{Domain, ".b.test", "b.test", false, "not itself"},
		{Domain, "b.test", "x@b.test", true, "an address is asked by its domain"},
		{Domain, ".b.test", "ab.test", false, "labels are whole"},
		{IP, "192.0.2.0/24", "192.0.2.9", true, ""},
		{IP, "192.0.2.0/24", "::ffff:192.0.2.9", true, "IPv4 in IPv6 is IPv4"},
		{IP, "192.0.2.7/24", "192.0.2.9", true, "host bits are dropped"},
		{IP, "192.0.2.1", "192.0.2.2", false, ""},
		{IP, "2001:db8::/32", "2001:db8:1::1", true, ""},
		{IP, "2001:db8::/32", "no address", false, ""},
		{Word, "exe", "EXE", true, ""},
		{Word, "exe", "", false, "nothing is in no list"},
		{Glob, "*.invoices.test", "a.invoices.TEST", true, ""},
		{Glob, "a?c", "abc", true, ""},
		{Glob, "a.c", "abc", false, "a dot is a dot"},
		{Glob, "plain", "PLAIN", true, "no wildcard"},
		{Regex, `^\d+$`, "123", true, ""},
		{Regex, `^\d+$`, "12a", false, ""},
		{Hash, hash, "foo", true, "the text"},
		{Hash, hash, hash, true, "the hash"},
		{Hash, hash, "bar", false, ""},
	}
	for _, c := range cases {
		l, errs := New(c.typ, []string{c.items})
		if errs != nil {
			t.Fatalf("%s %q: %v", c.typ, c.items, errs)
		}
		if got := l.Has(c.ask); got != c.want {
			t.Errorf("%s %q has %q: %v (%s)", c.typ, c.items, c.ask, got, c.why)
		}
	}
}

func TestBadItems(t *testing.T) {
	for typ, item := range map[Type]string{Address: "a@@b", Domain: "no domain", IP: "300.1.1.1", Regex: "(", Hash: "abc", Word: " "} {
		l, errs := New(typ, []string{item})
		if len(errs) != 1 {
			t.Errorf("%s %q: want one error, got %v", typ, item, errs)
		}
		if l.Has(item) && typ != Word {
			t.Errorf("%s holds the bad %q", typ, item)
		}
	}
}

func TestHasIPInOtherTypes(t *testing.T) {
	l, _ := New(Word, []string{"192.0.2.1"})
	if !l.HasIP(netip.MustParseAddr("192.0.2.1")) || l.HasIP(netip.Addr{}) {
		t.Error("a word list finds an address by its text, and never the invalid one")
	}
}

func TestParseFile(t *testing.T) {
	entries, errs := Table{Format: Lines, Type: Word}.Parse([]byte("# who\n\na@b.test # a friend\r\n  c#d \n"))
	var got []string
	for _, e := range entries {
		got = append(got, e.Text)
	}
	if len(errs) > 0 || entries[1].Line != 4 {
		t.Errorf("%v, %v", entries, errs)
	}
	if fmt.Sprint(got) != "[a@b.test c#d]" {
		t.Errorf("got %q", got)
	}
}

func BenchmarkNetworks(b *testing.B) {
	var items []string
	for i := range 100_000 {
		items = append(items, fmt.Sprintf("10.%d.%d.0/24", i/256%256, i%256), fmt.Sprintf("172.16.%d.%d", i/256%256, i%256))
	}
	l, _ := New(IP, items)
	ip := netip.MustParseAddr("203.0.113.9")
	b.ReportAllocs()
	for b.Loop() {
		l.HasIP(ip)
	}
}
