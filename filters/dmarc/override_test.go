package dmarc_test

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/dmarc"
	"github.com/forepost/forepost/filters/filtertest"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// said is a filter that has been asked already.
type said struct {
	fd  pipeline.Finding
	err error
}

func (s said) Inspect(context.Context, *pipeline.Transaction) (pipeline.Finding, error) {
	return s.fd, s.err
}

func chain(trusted bool, result string) *said {
	return &said{fd: pipeline.Finding{Facts: pipeline.Facts{"trusted": trusted, "dmarc": result}}}
}

func vouch(domain string) []pipeline.AuthResult {
	return []pipeline.AuthResult{{Method: "dkim", Result: "pass", Props: []pipeline.Prop{{Name: "header.d", Value: domain}}}}
}

// TestOverride: the reasons not to follow the policy of a domain whose mail fails
// (RFC 9990 section 3.1.6); threats.md "ARC confusion": only a chain that is
// trusted and says that DMARC passed is one, not any chain that is whole, and
// never one that could not be looked at.
func TestOverride(t *testing.T) {
	const seal = "ARC-Seal: i=1\n"
	for _, c := range []struct {
		why      string
		settings dmarc.Settings
		header   string
		arc      *said
		dkim     string
		want     string
	}{
		{why: "nothing", want: "none"},
		{why: "a trusted chain", header: seal, arc: chain(true, "pass"), want: "trusted_arc"},
		{why: "a trusted chain, whose first sealer saw a failure, too", header: seal, arc: chain(true, "fail"), want: "none"},
		{why: "a chain of strangers", header: seal, arc: chain(false, "pass"), want: "none"},
		{why: "a chain that could not be looked at", header: seal, arc: &said{chain(true, "pass").fd, errors.New("timeout")}, want: "none"},
		{why: "a chain, and nobody who could look at it", header: seal, want: "none"},
		{why: "an address", settings: dmarc.Settings{Forwarders: []string{"192.0.2.1"}}, want: "trusted_forwarder"},
		{why: "a network", settings: dmarc.Settings{Forwarders: []string{"2001:db8::/32", "192.0.2.0/24"}}, want: "trusted_forwarder"},
		{why: "another network", settings: dmarc.Settings{Forwarders: []string{"198.51.100.0/24"}}, want: "none"},
		{why: "a forwarder's signature", settings: dmarc.Settings{Forwarders: []string{"Lists.test"}}, dkim: "lists.test", want: "trusted_forwarder"},
		{why: "a signature below it", settings: dmarc.Settings{Forwarders: []string{"lists.test"}}, dkim: "x.lists.test", want: "none"},
		{why: "a domain that the operator exempts", settings: dmarc.Settings{Exempt: []string{"bank.test"}}, want: "local_policy"},
		{why: "another one", settings: dmarc.Settings{Exempt: []string{"a.bank.test"}}, want: "none"},
		{why: "it passes: there is nothing to override", settings: dmarc.Settings{Exempt: []string{"bank.test"}}, dkim: "bank.test", want: "none"},
	} {
		zone := dns.MustZone(dns.Names{"_dmarc.bank.test": {"TXT": []string{"v=DMARC1; p=reject"}}})
		f, err := dmarc.Kind().Build(&c.settings, filters.Deps{DNS: zone, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		in := &pipeline.Instance{Name: "dmarc", Filter: f}
		all := []*pipeline.Instance{in, {Name: "spf", Filter: said{}}, {Name: "dkim", Filter: said{fd: pipeline.Finding{Auth: vouch(c.dkim)}}}}
		if c.arc != nil {
			all = append(all, &pipeline.Instance{Name: "arc", Filter: c.arc})
		}
		tx := pipeline.NewTransaction(&pipeline.Session{Client: netip.MustParseAddr("192.0.2.1")})
		tx.From = mail.MustParseAddress("x@lists.test")
		if err := filtertest.Message(tx, c.header+"From: boss@bank.test\n\nHi.\n"); err != nil {
			t.Fatal(err)
		}
		tx.Use(pipeline.NewSet(all...))
		r := tx.Find(t.Context(), in)
		if r.Finding.Facts["override"] != c.want || r.Err != nil {
			t.Errorf("%s: %v, %v; want %s", c.why, r.Finding.Facts["override"], r.Err, c.want)
		}
		if c.dkim != "bank.test" && (r.Finding.Facts["result"] != "fail" || r.Finding.Facts["policy"] != "reject") {
			t.Errorf("%s: the result itself does not change: %v", c.why, r.Finding.Facts)
		}
	}
}

func TestOverrideSettings(t *testing.T) {
	for _, s := range []dmarc.Settings{{Forwarders: []string{"10.0.0.0/33"}}, {Forwarders: []string{"a b"}}, {Forwarders: []string{""}}, {Exempt: []string{"192.0.2.0/24"}}} {
		if _, err := dmarc.Kind().Build(&s, filters.Deps{}); err == nil {
			t.Errorf("%+v was taken", s)
		}
	}
}
