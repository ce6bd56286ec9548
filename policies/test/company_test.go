package test

import (
	"context"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/meter/metertest"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// shown is the policy of a company as the design shows it.
const shown = "../testdata/shown/company.hcl"

// given is a filter that has found its facts.
type given struct{ facts pipeline.Facts }

func (g given) Inspect(context.Context, *pipeline.Transaction) (pipeline.Finding, error) {
	return pipeline.Finding{Facts: g.facts}, nil
}

// findings are what the filters found of a message that is taken: from a stranger
// whose mail is in order.
var findings = map[string]pipeline.Facts{
	"iprev": {"name": "mail.stranger.test", "fcrdns": true}, "spf": {"result": "pass", "domain": "stranger.test"},
	"dkim": {"result": "pass", "domains": []string{"stranger.test"}}, "dmarc": {"result": "pass", "policy": "reject"},
	"dnsbl": {"listed": false}, "clamav": {"infected": false}, "rspamd": {"score": 1.2},
	"attachment": {"extensions": []string{"pdf"}, "has_macros": false, "has_encrypted_archive": false},
	"contact":    {"known": false}, "ratelimit": {"over": false, "count": 3.0, "limit": 120.0}, "greylist": {"early": false},
}

// companyOptions load what is shown with the kinds that exist, and with findings
// in the place of their filters.
func companyOptions() policies.Options {
	kinds := builtin.Kinds()
	for i := range kinds {
		facts := findings[kinds[i].Name]
		kinds[i].Build = func(any, filters.Deps) (pipeline.Filter, error) { return given{facts}, nil }
	}
	return policies.Options{Kinds: kinds, Now: func() time.Time { return noon }}
}

// companyPlan is the plan of the policy for mail from outside.
func companyPlan(t testing.TB) pipeline.Plan {
	t.Helper()
	o := companyOptions()
	o.Lists = map[string][]string{"never": {"192.0.2.0/24", "198.51.100.7", "2001:db8::/32"}, "partners": {"sales@partner.test"}, "staff": {"bob@example.com"}}
	c, ds := policies.Load(shown, o)
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	ps, err := c.Build(filters.Deps{Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	p, ok := ps.Plan("inbound")
	if !ok {
		t.Fatal("no policy inbound")
	}
	return p
}

const companyMail = "From: \"Ann B\" <ann@stranger.test>\r\nTo: bob@example.com\r\nSubject: The offer\r\nMessage-ID: <1@stranger.test>\r\n\r\nHello\r\n"

// companyTransaction is a message for one recipient, parsed.
func companyTransaction(t testing.TB) *pipeline.Transaction {
	t.Helper()
	s := &pipeline.Session{ID: "4bQz7K2MwX", Listener: "edge", Client: netip.MustParseAddr("203.0.113.9"), Helo: "mail.stranger.test"}
	tx := pipeline.NewTransaction(s)
	tx.From = mail.MustParseAddress("ann@stranger.test")
	bob := mail.MustParseAddress("bob@example.com")
	tx.To = []pipeline.Recipient{{Address: bob, Acceptance: mail.Acceptance{Ours: true, Known: true, Domain: bob.Domain}}}
	tx.Message = &mail.Message{Blob: mail.Bytes(companyMail)}
	part, err := mime.Parse(tx.Message.Blob, mime.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	tx.Part = part
	return tx
}

// judge runs all stages over a message, its record included.
func judge(p pipeline.Plan, tx *pipeline.Transaction) []pipeline.Verdict {
	tx.Session.Ledger, tx.Ledger, tx.To[0].Ledger = pipeline.Ledger{}, pipeline.Ledger{}, pipeline.Ledger{}
	tx.Session.Trace, tx.Trace.Rules = nil, nil
	for at := pipeline.Connect; at < pipeline.Data; at++ {
		p.Run(context.Background(), at, tx)
	}
	return p.Run(context.Background(), pipeline.Data, tx)
}

// BenchmarkCompany is what the policy shown costs a message that is taken, facts
// found and message parsed. cpu-us/op is of the whole process, garbage collection
// included.
func BenchmarkCompany(b *testing.B) {
	p, tx := companyPlan(b), companyTransaction(b)
	tx.Trace = &trail.Record{}
	b.ReportAllocs()
	n := 0
	used := metertest.CPU(b, func() {
		for b.Loop() {
			judge(p, tx)
			n++
		}
	})
	b.ReportMetric(float64(used.Nanoseconds())/1000/float64(n), "cpu-us/op")
}

// TestCompanyAllocates: that costs 14 allocations at most, and is judged as it
// should be.
func TestCompanyAllocates(t *testing.T) {
	p, tx := companyPlan(t), companyTransaction(t)
	tx.Trace = &trail.Record{}
	vs := judge(p, tx)
	if len(vs) != 1 || vs[0].Action != pipeline.None || vs[0].Ledger.Points != 1200 || len(vs[0].Ledger.Edits) != 1 ||
		len(vs[0].Ledger.Tags) != 1 || vs[0].Ledger.Tags[0] != "external" || string(vs[0].Ledger.Edits[0].With) != "Subject: [EXT] The offer\r\n" {
		t.Errorf("%+v", vs)
	}
	if len(tx.Session.Trace) != 1 || len(tx.Trace.Rules) != 14 {
		t.Errorf("%+v\n%+v", tx.Session.Trace, tx.Trace.Rules)
	}
	if n := testing.AllocsPerRun(200, func() { judge(p, tx) }); n > 14 {
		t.Errorf("%.0f allocations", n)
	}
}

// TestCompanyLoads: what is missing where it is only shown (secrets, lists) are
// warnings. It is the design's file, word for word.
func TestCompanyLoads(t *testing.T) {
	_, ds := policies.Load(shown, companyOptions())
	for _, d := range ds {
		if d.Severity != policies.SeverityWarning {
			t.Error(d)
		}
	}
	if len(ds) < 4 {
		t.Errorf("lists and secrets are missing, and it says %v", ds)
	}
	suites := os.Getenv("FOREPOST_SUITES")
	if suites == "" {
		return
	}
	ours, err := os.ReadFile(shown)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := os.ReadFile(filepath.Join(suites, "../design/examples/company.hcl"))
	if err != nil || string(ours) != string(theirs) {
		t.Errorf("%s differs from what the design shows, %v", shown, err)
	}
}
