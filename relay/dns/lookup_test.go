package dns

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	mdns "github.com/miekg/dns"
)

func lookupZone() *Zone {
	names := make([]string, 11)
	for i := range names {
		names[i] = fmt.Sprintf("n%d.test.", i)
	}
	return MustZone(Names{
		"mx.test":                   {"MX": []string{"20 c.test.", "10 A.test.", "10 b.test."}},
		"null.test":                 {"MX": []string{"0 ."}},
		"both.test":                 {"A": []string{"192.0.2.1"}, "AAAA": []string{"2001:db8::1"}},
		"four.test":                 {"A": []string{"192.0.2.1"}, "AAAA": "timeout"},
		"doubt.test":                {"AAAA": "servfail"},
		"1.2.0.192.in-addr.arpa":    {"PTR": []string{"other.test.", "both.test."}},
		"2.2.0.192.in-addr.arpa":    {"PTR": []string{"both.test."}},
		"3.2.0.192.in-addr.arpa":    {"PTR": []string{"slow.test."}},
		"4.2.0.192.in-addr.arpa":    {"error": "timeout"},
		"6.2.0.192.in-addr.arpa":    {"PTR": names},
		"n10.test":                  {"A": []string{"192.0.2.6"}},
		"slow.test":                 {"error": "timeout"},
		reverse6 + "ip6.arpa":       {"PTR": []string{"both.test."}},
		"127.0.0.1.odd.in-addr.arp": {"PTR": []string{"."}},
	})
}

const reverse6 = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."

func TestLookupMX(t *testing.T) {
	z := lookupZone()
	firsts := map[string]bool{}
	for range 100 {
		mxs, err := LookupMX(t.Context(), z, "mx.test")
		if err != nil || len(mxs) != 3 || mxs[2] != (MX{"c.test", 20}) {
			t.Fatalf("got %v, %v", mxs, err)
		}
		firsts[mxs[0].Host] = true
	}
	if !firsts["a.test"] || !firsts["b.test"] {
		t.Errorf("equal preferences are not shuffled: %v", firsts)
	}
	if mxs, err := LookupMX(t.Context(), z, "null.test"); err != nil || len(mxs) != 1 || mxs[0].Host != "" {
		t.Errorf("null MX: got %v, %v", mxs, err)
	}
}

func TestLookupAddrs(t *testing.T) {
	cases := []struct{ why, name, want string }{
		{"both, IPv6 first", "both.test", "2001:db8::1 192.0.2.1"},
		{"one is enough", "four.test", "192.0.2.1"},
		{"nothing for certain", "mx.test", "nodata"},
		{"nothing, with a doubt", "doubt.test", "temporary"},
		{"no such name", "none.test", "nxdomain"},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			addrs, err := LookupAddrs(t.Context(), lookupZone(), c.name)
			got := strings.Trim(fmt.Sprint(addrs), "[]")
			if err != nil {
				got = outcome(Answer{}, err)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestFCrDNS(t *testing.T) {
	cases := []struct{ why, ip, want string }{
		{"the second name leads back", "192.0.2.1", "both.test"},
		{"as seen on a dual-stack socket", "::ffff:192.0.2.1", "both.test"},
		{"IPv6", "2001:db8::1", "both.test"},
		{"a name that somebody else has", "192.0.2.2", "nodata"},
		{"a name that cannot be asked now", "192.0.2.3", "timeout"},
		{"a reverse zone that is down", "192.0.2.4", "timeout"},
		{"no name", "192.0.2.5", "nxdomain"},
		{"only the eleventh would do, RFC 7208 5.5", "192.0.2.6", "nodata"},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			got, err := FCrDNS(t.Context(), lookupZone(), netip.MustParseAddr(c.ip))
			if err != nil {
				got = outcome(Answer{}, err)
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	if _, err := FCrDNS(t.Context(), lookupZone(), netip.Addr{}); outcome(Answer{}, err) != "badname" {
		t.Errorf("no address: got %v", err)
	}
}

func TestReverseName(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.10":        "10.2.0.192",
		"::ffff:127.0.0.2":  "2.0.0.127",
		"255.100.1.0":       "0.1.100.255",
		"2001:db8::1":       strings.TrimSuffix(reverse6, "."),
		"fe80::1%eth0":      "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.e.f",
		"2001:db8:a:b:c::f": "f.0.0.0.0.0.0.0.0.0.0.0.c.0.0.0.b.0.0.0.a.0.0.0.8.b.d.0.1.0.0.2",
	} {
		if got := ReverseName(netip.MustParseAddr(in)); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
	if got := ReverseName(netip.Addr{}); got != "" {
		t.Errorf("no address: got %q", got)
	}
}

func TestEscapes(t *testing.T) {
	for in, want := range map[string]string{
		`a\b`: `a\\b`, `"`: `\"`, "\x00\xff": `\000\255`, "plain": "plain",
	} {
		if got := escape(in); got != want {
			t.Errorf("escape(%q) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		`\\`: `\`, `\`: `\`, `\25`: "25", `\256`: "256", `\255x`: "\xffx", `\;`: ";",
	} {
		if got := unescape(in); got != want {
			t.Errorf("unescape(%q) = %q, want %q", in, got, want)
		}
	}
	if got := outcome(MustZone(Names{"a.test": {"SPF": []string{"v=spf1"}}}).Query(t.Context(), "a.test", mdns.TypeSPF)); !slices.Contains([]string{`"v=spf1"`}, got) {
		t.Errorf("SPF: got %s", got)
	}
}
