package dmarc_test

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/filtertest"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/meter/metertest"
	"github.com/forepost/forepost/relay/pipeline"
)

// counting counts the questions of a resolver.
type counting struct {
	dns.Resolver
	n atomic.Int32
}

func (c *counting) Query(ctx context.Context, name string, qtype uint16) (dns.Answer, error) {
	c.n.Add(1)
	return c.Resolver.Query(ctx, name, qtype)
}

// authentication makes the three kinds over a resolver, for one message from
// x@evil.test.
func authentication(t testing.TB, zone dns.Resolver, now func() time.Time, message string) (dmarc *pipeline.Instance, set *pipeline.Set, tx *pipeline.Transaction) {
	t.Helper()
	var all []*pipeline.Instance
	for _, name := range []string{"spf", "dkim", "dmarc"} {
		k, _ := filtertest.Kind(name)
		var settings any
		if k.Settings != nil {
			settings = k.Settings()
		}
		f, err := k.Build(settings, filters.Deps{Name: name, Hostname: "gw.test", DNS: zone, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		dmarc = &pipeline.Instance{Name: name, Kind: name, Filter: f, Scope: k.Scope}
		all = append(all, dmarc)
	}
	tx = pipeline.NewTransaction(&pipeline.Session{Client: netip.MustParseAddr("192.0.2.1"), Helo: "helo.evil.test"})
	tx.From = mail.MustParseAddress("x@evil.test")
	if err := filtertest.Message(tx, message); err != nil {
		t.Fatal(err)
	}
	set = pipeline.NewSet(all...)
	tx.Use(set)
	return dmarc, set, tx
}

func repeat(n int, format string) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf(format, i))
	}
	return out
}

// TestQuestionsOfOneMessage is threats.md "SPF amplification", "DKIM structure
// flood" and "DNS resolver DoS": whatever a stranger publishes and signs, the
// questions for SPF, DKIM and DMARC together are bounded, and enough are left
// to ask for the policy of the author whom he forges: DMARC says fail, not that
// it could not tell.
func TestQuestionsOfOneMessage(t *testing.T) {
	ten := "v=spf1 " + strings.Repeat("mx:ten.test ", 10)
	names := dns.Names{
		"evil.test":                 {"TXT": []string{ten + "exists:%{p}.test -all exp=%{p}.test"}, "A": []string{"192.0.2.9"}},
		"helo.evil.test":            {"TXT": []string{ten + "-all"}},
		"ten.test":                  {"MX": repeat(10, "10 h%d.test.")},
		"1.2.0.192.in-addr.arpa":    {"PTR": repeat(100, "n%d.test.")},
		"_dmarc.bank.test":          {"TXT": []string{"v=DMARC1; p=reject; np=quarantine"}},
		"a.b.c.d.e.f.g.h.bank.test": {"A": []string{"192.0.2.9"}},
	}
	for i := range 100 {
		names[fmt.Sprintf("h%d.test", i)] = map[string]any{"A": repeat(200, "198.51.%d.1")}
		names[fmt.Sprintf("n%d.test", i)] = map[string]any{"A": []string{"198.51.100.1"}}
	}
	var signatures strings.Builder
	for i := range 900 {
		fmt.Fprintf(&signatures, "DKIM-Signature: v=1; a=rsa-sha256; d=a.b.c.d.e.f.s%d.test; s=s; h=from; bh=AAAA; b=AAAA\n", i)
	}
	for _, c := range []struct{ why, from, policy string }{
		{"the bank itself", "boss@bank.test", "reject"},
		{"a name of the bank's that exists, deep down", "boss@a.b.c.d.e.f.g.h.bank.test", "reject"},
		{"a name that does not exist", "boss@1.2.3.4.5.6.7.8.9.bank.test", "quarantine"},
	} {
		r := &counting{Resolver: dns.MustZone(names)}
		in, _, tx := authentication(t, r, func() time.Time { return filtertest.Now }, signatures.String()+"From: "+c.from+"\n\nHi.\n")
		var got pipeline.Result
		took := metertest.CPU(t, func() { got = tx.Find(dns.WithBudget(t.Context(), 250), in) }) // as relay/inbound does
		if got.Err != nil || got.Finding.Facts["result"] != "fail" || got.Finding.Facts["disposition"] != c.policy {
			t.Errorf("%s: %v, %v", c.why, got.Finding.Facts, got.Err)
		}
		if n := r.n.Load(); n > 143+5+9 || n < 120 {
			t.Errorf("%s: %d questions", c.why, n)
		}
		if took > time.Second {
			t.Errorf("%s: %v of processor time", c.why, took)
		}
	}
}
