package policies

import (
	"context"
	"testing"

	"github.com/hashicorp/hcl/v2/hclwrite"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// TestRecommended: the built-in policy in a configuration that declares nothing
// for it, and in one with a quarantine.
func TestRecommended(t *testing.T) {
	const bare = "hostname = \"mx.example.com\"\nlistener \"edge\" {\n  address = \":25\"\n}\n"
	fail := func(policy string) map[string]pipeline.Facts {
		return map[string]pipeline.Facts{"dmarc": {"result": "fail", "policy": policy, "override": "none"}, "iprev": {"fcrdns": true}}
	}
	cases := []struct {
		why, more, want, tags string
		facts                 map[string]pipeline.Facts
		session               func(*pipeline.Session)
	}{
		{why: "ordinary mail", want: "none", facts: map[string]pipeline.Facts{"iprev": {"fcrdns": true}}, tags: "[]"},
		{why: "DMARC says reject", want: "reject by recommended.data.reject.dmarc: 550 5.7.26 Fails the DMARC policy of stranger.test", facts: fail("reject"), tags: "[]"},
		{why: "DMARC says reject, and a chain that is trusted says that it passed before", want: "none", tags: "[]",
			facts: map[string]pipeline.Facts{"dmarc": {"result": "fail", "policy": "reject", "override": "trusted_arc"}, "iprev": {"fcrdns": true}}},
		{why: "DMARC says quarantine, and there is none: a tag", want: "none", facts: fail("quarantine"), tags: "[dmarc-fail]"},
		{why: "DMARC says quarantine", more: "quarantine \"q\" {}\n", want: "quarantine by recommended.data.quarantine.dmarc into q", facts: fail("quarantine"), tags: "[dmarc-fail]"},
		{why: "our own servers are not asked", want: "none", facts: fail("reject"), session: func(s *pipeline.Session) { s.Trusted = true }, tags: "[]"},
		{why: "a program", want: "reject by recommended.data.reject.programs: 550 5.7.1 Program files are not accepted here", facts: map[string]pipeline.Facts{"attachment": {"extensions": []string{"pdf", "exe"}}}, tags: "[]"},
		{why: "points add up to a tag", want: "none", facts: map[string]pipeline.Facts{"spf": {"result": "fail"}, "dkim": {"result": "fail"}}, tags: "[spam]"},
		{why: "several authors, or an odd one: legal now and then, so it is marked and not refused", want: "none", facts: map[string]pipeline.Facts{"dmarc": {"result": "permerror", "policy": "none"}, "iprev": {"fcrdns": true}}, tags: "[spam]"},
		{why: "an account sends as another", want: "reject by recommended.data.reject.not-your-address: 550 5.7.1 eve may not send as ann@stranger.test", session: func(s *pipeline.Session) {
			s.Auth = mail.Identity{User: "eve", Addresses: []mail.Address{mail.MustParseAddress("eve@example.com")}}
		}, tags: "[]"},
		{why: "an account may send as any address of a domain that is its own", want: "none", session: func(s *pipeline.Session) {
			s.Auth = mail.Identity{User: "eve", Addresses: []mail.Address{{Local: "*", Domain: "stranger.test"}}}
		}, tags: "[]"},
		{why: "too many at once", want: "defer by recommended.rcpt.limit.per-client: 451 4.7.1 Too many recipients from 203.0.113.9, try again later",
			facts: map[string]pipeline.Facts{"limit:recommended.rcpt.limit.per-client": {"over": true}}, tags: "[]"},
	}
	for _, c := range cases {
		t.Run(c.why, func(t *testing.T) {
			w := newWorld()
			for k, v := range c.facts {
				w.facts[k] = v
			}
			ps, err := w.load(t, bare+c.more).Build(filters.Deps{})
			if err != nil {
				t.Fatal(err)
			}
			p, ok := ps.Plan("recommended")
			if !ok {
				t.Fatal("no plan")
			}
			tx := transaction(t, "bob@example.com")
			if c.session != nil {
				c.session(tx.Session)
			}
			vs := p.Run(context.Background(), pipeline.Rcpt, tx)
			if len(vs) == 0 {
				vs = p.Run(context.Background(), pipeline.Data, tx)
			}
			if got := said(vs); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
			if got := line(vs[0].Ledger.Tags); got != c.tags {
				t.Errorf("tags: got %s, want %s", got, c.tags)
			}
		})
	}
}

// TestStockIsFormatted: what people print and own is a fixed point of the
// formatter.
func TestStockIsFormatted(t *testing.T) {
	for _, name := range StockNames() {
		text, _ := Stock(name)
		if string(hclwrite.Format([]byte(text))) != text {
			t.Errorf("%s is not formatted", name)
		}
	}
	if _, ok := Stock("none"); ok || len(StockNames()) == 0 {
		t.Error("the names of the built-in policies are wrong")
	}
}
