package dmarc

import (
	"context"
	"fmt"
	"testing"

	"github.com/forepost/forepost/relay/dns"
)

// Where reports go: RFC 9990 section 4, and the sizes of RFC 7489 section 6.2.
func TestDestinations(t *testing.T) {
	for _, c := range []struct {
		why, rua string
		others   map[string]string // TXT records of other names
		want     string
	}{
		{"its own", "mailto:a@b.test", nil, "[{a@b.test 0}]"},
		{"below its own", "mailto:a@sub.b.test", nil, "[{a@sub.b.test 0}]"},
		{"sizes", "mailto:a@b.test!10m, mailto:c@b.test!5k,mailto:d@b.test!77", nil, "[{a@b.test 10485760} {c@b.test 5120} {d@b.test 77}]"},
		{"an escaped exclamation mark", "mailto:a%21x@b.test", nil, "[{a!x@b.test 0}]"},
		{"a size that is none", "mailto:a@b.test!big", nil, "[]"},
		{"other schemes, and none", "https://b.test/r, a@b.test,mailto:,mailto:x", nil, "[]"},
		{"the same twice", "mailto:a@b.test,mailto:a@B.test", nil, "[{a@b.test 0}]"},
		{"more than we serve", "mailto:1@b.test,mailto:2@b.test,mailto:3@b.test,mailto:4@b.test,mailto:5@b.test,mailto:6@b.test", nil,
			"[{1@b.test 0} {2@b.test 0} {3@b.test 0} {4@b.test 0} {5@b.test 0}]"},
		{"elsewhere, and nobody agreed: the victim of a flood", "mailto:a@victim.test", nil, "[]"},
		{"elsewhere, agreed", "mailto:a@r.test", map[string]string{"b.test._report._dmarc.r.test": "v=DMARC1;"}, "[{a@r.test 0}]"},
		{"elsewhere, agreed for all", "mailto:a@r.test", map[string]string{"*._report._dmarc.r.test": "v=DMARC1"}, "[{a@r.test 0}]"},
		{"elsewhere, the record is another", "mailto:a@r.test", map[string]string{"b.test._report._dmarc.r.test": "v=spf1 -all"}, "[]"},
		{"elsewhere, put to another mailbox of the same host", "mailto:a@r.test",
			map[string]string{"b.test._report._dmarc.r.test": "v=DMARC1; rua=mailto:other@r.test!1k"}, "[{other@r.test 1024}]"},
		{"elsewhere, put to another host: nobody", "mailto:a@r.test",
			map[string]string{"b.test._report._dmarc.r.test": "v=DMARC1; rua=mailto:a@victim.test"}, "[]"},
		{"the DNS cannot tell", "mailto:a@r.test", map[string]string{"b.test._report._dmarc.r.test": "servfail"}, "could not tell"},
	} {
		zone := dns.Names{"_dmarc.b.test": {"TXT": []string{"v=DMARC1; p=none; rua=" + c.rua}}}
		for name, txt := range c.others {
			zone[name] = map[string]any{"TXT": []string{txt}}
			if txt == "servfail" {
				zone[name] = map[string]any{"TXT": txt}
			}
		}
		p, err := Lookup(context.Background(), dns.MustZone(zone), "www.b.test")
		if err != nil || p == nil || p.Domain != "b.test" {
			t.Fatalf("%s: %+v, %v", c.why, p, err)
		}
		list, err := p.Destinations(context.Background())
		got := fmt.Sprint(list)
		if err != nil {
			got = "could not tell"
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.why, got, c.want)
		}
	}
}

// Alignment for reports is that of the filter.
func TestPublishedAligned(t *testing.T) {
	r := dns.MustZone(dns.Names{"_dmarc.b.test": {"TXT": []string{"v=DMARC1; p=none; adkim=s; rua=mailto:a@b.test"}}})
	p, err := Lookup(context.Background(), r, "www.b.test")
	if err != nil {
		t.Fatal(err)
	}
	for id, want := range map[Identity]bool{
		{"spf", "mail.b.test"}: true, {"dkim", "mail.b.test"}: false, {"dkim", "www.b.test"}: true, {"spf", "c.test"}: false,
	} {
		if got, err := p.Aligned(context.Background(), id); got != want || err != nil {
			t.Errorf("%v: %v, %v", id, got, err)
		}
	}
	if p, err := Lookup(context.Background(), r, "c.test"); p != nil || err != nil {
		t.Errorf("a domain without a policy: %+v, %v", p, err)
	}
}
