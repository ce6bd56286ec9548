package route

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
)

func ips(ss ...string) map[string]any { return map[string]any{"A": ss} }
func mx(ss ...string) map[string]any  { return map[string]any{"MX": ss} }

var zone = dns.MustZone(dns.Names{
	"two.test":   mx("20 b.two.test.", "10 a.two.test."),
	"a.two.test": {"A": []string{"192.0.2.1", "192.0.2.2"}, "AAAA": []string{"2001:db8::1"}},
	"b.two.test": ips("192.0.2.3"),

	"bare.test":    ips("192.0.2.9"),
	"text.test":    {"TXT": []string{"no host"}},
	"null.test":    {"MX": []string{"0 ."}, "A": []string{"192.0.2.9"}},
	"mixed.test":   mx("0 .", "10 b.two.test."),
	"slow.test":    {"error": "timeout", "A": []string{"192.0.2.9"}},
	"forged.test":  {"error": "bogus"},
	"alias.test":   {"CNAME": []string{"two.test."}},
	"dangling.one": mx("10 missing.test."),
	"part.test":    mx("10 missing.test.", "20 b.two.test."),
	"doubt.test":   mx("10 missing.test.", "20 slowhost.test."),

	"slowhost.test": {"error": "servfail"},
	"zero.test":     mx("10 zerohost.test."),
	"zerohost.test": ips("0.0.0.0", "224.0.0.1"),

	"backup.test":    mx("10 a.two.test.", "20 Gate.Example.test.", "20 b.two.test.", "30 bare.test."),
	"byaddr.test":    mx("10 b.two.test.", "20 us.test."),
	"us.test":        ips("192.0.2.77"),
	"loop.test":      mx("10 us.test.", "20 b.two.test."),
	"self.test":      ips("192.0.2.77"),
	"downmain.test":  mx("10 slowhost.test.", "20 us.test."),
	"many.test":      mx(manyMX()...),
	"manyaddrs.test": ips(manyAddrs()...),
})

func manyMX() (out []string) {
	for i := range 400 {
		out = append(out, fmt.Sprintf("%d b.two.test.", i))
	}
	return out
}

func manyAddrs() (out []string) {
	for i := range 250 {
		out = append(out, fmt.Sprintf("192.0.2.%d", i+1))
	}
	return out
}

func table(t *testing.T, o TableOptions) *Table {
	t.Helper()
	o.Resolver = zone
	o.Self = Self{
		Names: []string{"gate.example.test"},
		Addrs: func(a netip.AddrPort) bool { return a.Addr().String() == "192.0.2.77" && a.Port() == 25 },
	}
	tab, err := NewTable(o)
	if err != nil {
		t.Fatal(err)
	}
	return tab
}

// show is hosts as "name 192.0.2.1:25 ...; name ...", or the codes of a refusal.
func show(hosts []Host, err error) string {
	if err != nil {
		var r mail.Reply
		if !errors.As(err, &r) {
			return "not a reply: " + err.Error()
		}
		return fmt.Sprint(r.Code(), " ", r.Enhanced())
	}
	var out []string
	for _, h := range hosts {
		s := h.Name
		for _, a := range h.Addrs {
			s += " " + strings.TrimSuffix(a.String(), ":25")
		}
		out = append(out, s+h.Unix)
	}
	return strings.Join(out, "; ")
}

func TestMX(t *testing.T) {
	cases := []struct{ why, domain, want string }{
		{"by preference, families in turn", "two.test", "a.two.test [2001:db8::1] 192.0.2.1 192.0.2.2; b.two.test 192.0.2.3"},
		{"no MX: the domain itself, RFC 5321 5.1", "bare.test", "bare.test 192.0.2.9"},
		{"an alias for a domain with MX", "alias.test", "a.two.test [2001:db8::1] 192.0.2.1 192.0.2.2; b.two.test 192.0.2.3"},
		{"a domain that does not exist", "missing.test", "550 5.1.2"},
		{"one without MX and address", "text.test", "550 5.4.4"},
		{"null MX, RFC 7505, although there is an address", "null.test", "556 5.1.10"},
		{"null MX beside others is a mistake of theirs", "mixed.test", "b.two.test 192.0.2.3"},
		{"a lookup that failed is no reason to try the address", "slow.test", "451 4.4.3"},
		{"failed validation is not absence", "forged.test", "451 4.4.3"},
		{"an MX that leads nowhere", "dangling.one", "550 5.4.4"},
		{"beside one that does not", "part.test", "b.two.test 192.0.2.3"},
		{"an MX that leads nowhere, and one that nobody knows of", "doubt.test", "451 4.4.3"},
		{"addresses that are no host's", "zero.test", "550 5.4.4"},
		{"we are a backup: only the better ones, by name", "backup.test", "a.two.test [2001:db8::1] 192.0.2.1 192.0.2.2"},
		{"and by address", "byaddr.test", "b.two.test 192.0.2.3"},
		{"we are the best", "loop.test", "550 5.4.6"},
		{"we are the domain's own address", "self.test", "550 5.4.6"},
		{"the only better one cannot be looked up now", "downmain.test", "451 4.4.3"},
		{"an address literal", "[192.0.2.5]", "[192.0.2.5] 192.0.2.5"},
		{"one of IPv6", "[IPv6:2001:db8::5]", "[IPv6:2001:db8::5] [2001:db8::5]"},
		{"a literal that is ours", "[192.0.2.77]", "550 5.4.6"},
		{"a literal that is nobody's", "[0.0.0.0]", "550 5.1.3"},
		{"a literal that is none", "[mail]", "550 5.1.3"},
		{"a name that cannot be asked for", "a..test", "550 5.1.2"},
		{"no domain", "", "550 5.1.2"},
	}
	tab := table(t, TableOptions{})
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			got := show(tab.Hosts(t.Context(), &Route{Kind: MX}, c.domain))
			if got != c.want {
				t.Errorf("%s: got %s, want %s", c.domain, got, c.want)
			}
		})
	}
}

// A domain decides how many hosts it has, not how long we work on them.
func TestMXBounds(t *testing.T) {
	tab := table(t, TableOptions{})
	hosts, err := tab.Hosts(t.Context(), &Route{Kind: MX}, "many.test")
	if err != nil || len(hosts) != maxHosts {
		t.Errorf("%d hosts, %v", len(hosts), err)
	}
	hosts, err = tab.Hosts(t.Context(), &Route{Kind: MX}, "manyaddrs.test")
	if err != nil || len(hosts) != 1 || len(hosts[0].Addrs) != maxAddrs {
		t.Errorf("%v, %v", hosts, err)
	}
}

func TestMXBudget(t *testing.T) {
	tab := table(t, TableOptions{})
	ctx := dns.WithBudget(t.Context(), 1)
	if got := show(tab.Hosts(ctx, &Route{Kind: MX}, "two.test")); got != "451 4.4.3" {
		t.Errorf("got %s", got)
	}
}

func TestConfigured(t *testing.T) {
	cases := []struct {
		why   string
		route Route
		want  string
	}{
		{"in the order written", Route{Kind: Hosts, To: []Target{{"b.two.test", 25}, {"bare.test", 587}}}, "b.two.test 192.0.2.3; bare.test 192.0.2.9:587"},
		{"an address", Route{Kind: Hosts, To: []Target{{"2001:db8::7", 25}}}, "2001:db8::7 [2001:db8::7]"},
		{"a socket", Route{Kind: LMTP, To: []Target{{"/run/lmtp", 0}}}, "/run/lmtp/run/lmtp"},
		{"LMTP over TCP", Route{Kind: LMTP, To: []Target{{"bare.test", 24}}}, "bare.test 192.0.2.9:24"},
		{"without a port", Route{Kind: Hosts, To: []Target{{"bare.test", 0}}}, "bare.test 192.0.2.9"},
		{"no MX is asked for", Route{Kind: Hosts, To: []Target{{"two.test", 25}}}, "451 4.4.3"},
		{"one that is missing does not stop the others", Route{Kind: Hosts, To: []Target{{"missing.test", 25}, {"bare.test", 25}}}, "bare.test 192.0.2.9"},
		{"a typo of the operator delays, it does not bounce", Route{Kind: Hosts, To: []Target{{"missing.test", 25}}}, "451 4.4.3"},
		{"the store is no host", Route{Kind: Store}, ""},
	}
	tab := table(t, TableOptions{})
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			if got := show(tab.Hosts(t.Context(), &c.route, "example.test")); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestBalance(t *testing.T) {
	tab := table(t, TableOptions{})
	r := &Route{Kind: Hosts, Random: true, To: []Target{{"192.0.2.1", 25}, {"192.0.2.2", 25}}}
	seen := map[string]int{}
	for range 200 {
		hosts, err := tab.Hosts(t.Context(), r, "example.test")
		if err != nil || len(hosts) != 2 {
			t.Fatal(hosts, err)
		}
		seen[hosts[0].Name]++
	}
	if len(seen) != 2 {
		t.Errorf("always the same first: %v", seen)
	}
	if !slices.Equal(r.To, []Target{{"192.0.2.1", 25}, {"192.0.2.2", 25}}) {
		t.Error("the route itself was shuffled, under the eyes of others")
	}
}

func TestFind(t *testing.T) {
	exchange := &Route{Name: "exchange", Kind: Hosts, To: []Target{{"192.0.2.1", 25}}}
	tab := table(t, TableOptions{
		Routes:  []*Route{exchange},
		Domains: map[string]string{"example.test": "exchange", "local.test": "store"},
	})
	cases := []struct{ why, to, via, want string }{
		{"the domain's route", "a@example.test", "", "exchange"},
		{"the store", "a@local.test", "", "store"},
		{"all others", "a@other.test", "", "mx"},
		{"a subdomain is another domain", "a@sub.example.test", "", "mx"},
		{"policy chose another", "a@example.test", "mx", "mx"},
		{"policy chose one that is gone", "a@example.test", "old", "451 4.3.5"},
		{"a literal", "a@[192.0.2.1]", "", "mx"},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			r, err := tab.Find(mail.Recipient{Address: mail.MustParseAddress(c.to), Route: c.via})
			got := show(nil, err)
			if err == nil {
				got = r.Name
			}
			if got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	smart := table(t, TableOptions{Routes: []*Route{exchange}, Default: "exchange"})
	if r, err := smart.Find(mail.Recipient{Address: mail.MustParseAddress("a@other.test")}); err != nil || r != exchange {
		t.Errorf("default route: %v, %v", r, err)
	}
}

func TestTableErrors(t *testing.T) {
	cases := []struct {
		o    TableOptions
		want string
	}{
		{TableOptions{Routes: []*Route{{Name: "a", Kind: Hosts}}}, `route "a" has no servers`},
		{TableOptions{Routes: []*Route{{Name: "a", Kind: MX}, {Name: "a", Kind: MX}}}, `route "a" stands twice`},
		{TableOptions{Domains: map[string]string{"x.test": "b"}}, `domain x.test: there is no route "b"`},
		{TableOptions{Default: "c"}, `there is no route "c"`},
	}
	for _, c := range cases {
		if _, err := NewTable(c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestListening(t *testing.T) {
	addrs := func(ss ...string) (out []netip.AddrPort) {
		for _, s := range ss {
			out = append(out, netip.MustParseAddrPort(s))
		}
		return out
	}
	machine := []netip.Addr{netip.MustParseAddr("192.0.2.5"), netip.MustParseAddr("2001:db8::5")}
	cases := []struct {
		bound, to string
		want      bool
	}{
		{"192.0.2.5:25", "192.0.2.5:25", true},
		{"192.0.2.5:25", "[::ffff:192.0.2.5]:25", true},
		{"192.0.2.5:587", "192.0.2.5:25", false},
		{"192.0.2.5:25", "127.0.0.1:25", false},
		{"0.0.0.0:25", "192.0.2.5:25", true},
		{"[::]:25", "192.0.2.5:25", true}, // takes both families
		{"[::]:25", "[2001:db8::5]:25", true},
		{"0.0.0.0:25", "127.0.0.9:25", true}, // an MX of 127.0.0.9 is a way to us
		{"0.0.0.0:25", "192.0.2.6:25", false},
		{"0.0.0.0:2525", "192.0.2.5:25", false},
	}
	for _, c := range cases {
		if got := Listening(addrs(c.bound), machine)(addrs(c.to)[0]); got != c.want {
			t.Errorf("bound to %s, mail to %s: %v", c.bound, c.to, got)
		}
	}
}
