package reports

import (
	"context"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/forepost/forepost/filters/dmarc"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/report"
	"github.com/forepost/forepost/relay/trail"
)

// What of a decision record is reported, and how; the record goes through JSON
// as the trail keeps it.
func TestRowOf(t *testing.T) {
	path := func(s string) *string { return &s }
	base := func() trail.Record {
		return trail.Record{Client: trail.Client{IP: "192.0.2.1"}, From: path("Joe@B.test"), To: []string{"ann@a.test"},
			Outcomes: []trail.Outcome{{To: []string{"ann@a.test"}, Action: "accept"}},
			Facts: []trail.Fact{
				{Filter: "dkim", Values: map[string]any{"domains": []string{"b.test", "l.test"}, "selectors": []string{"k", "m"}},
					Auth: []string{`dkim=fail header.d=x.test header.s=y header.b=abc`, "dkim=policy", ""}},
				{Filter: "dmarc", Values: map[string]any{"result": "fail", "domain": "b.test", "disposition": "quarantine", "policy": "quarantine", "published": "reject"}},
				{Filter: "spf", Values: map[string]any{"result": "softfail", "domain": "b.test"}},
			}}
	}
	whole := row{author: "b.test", ip: "192.0.2.1", from: "b.test", spf: "softfail", spfFor: "b.test", dkim: "b.test/k/pass l.test/m/pass x.test/y/fail",
		asked: "quarantine", done: "none", testing: true}
	with := func(f func(*row)) *row { r := whole; f(&r); return &r }
	for _, c := range []struct {
		why    string
		change func(*trail.Record)
		want   *row
	}{
		{"all of it", func(*trail.Record) {}, &whole},
		{"an override", func(r *trail.Record) { r.Facts[1].Values["override"] = "trusted_forwarder" }, with(func(r *row) { r.why = "trusted_forwarder" })},
		{"an override by a chain of ARC", func(r *trail.Record) {
			r.Facts[1].Values["override"] = "trusted_arc"
			r.Facts = append(r.Facts, trail.Fact{Filter: "arc", Values: map[string]any{"sealers": []string{"one.test", "two.test"}, "selectors": []string{"s", "t"}}})
		}, with(func(r *row) {
			r.why, r.chain = "trusted_arc", "arc=pass as[2].d=two.test as[2].s=t as[1].d=one.test as[1].s=s"
		})},
		{"our own user", func(r *trail.Record) { r.Auth = "ann@a.test" }, nil},
		{"mail for others", func(r *trail.Record) { r.To = []string{"x@elsewhere.test"} }, nil},
		{"mail for one of our domains that does not report", func(r *trail.Record) { r.To = []string{"x@quiet.test"} }, nil},
		{"DMARC was not asked for", func(r *trail.Record) { r.Facts = r.Facts[:1] }, nil},
		{"no policy", func(r *trail.Record) { r.Facts[1].Values["result"] = "none" }, nil},
		{"could not tell", func(r *trail.Record) { r.Facts[1].Values["result"] = "temperror" }, nil},
		{"deferred: it comes again", func(r *trail.Record) { r.Outcomes[0].Action = "defer" }, nil},
		{"no client", func(r *trail.Record) { r.Client.IP = "" }, nil},
		{"rejected", func(r *trail.Record) { r.Outcomes[0].Action = "reject" }, with(func(r *row) { r.done = "reject" })},
		{"the hardest of several", func(r *trail.Record) {
			r.Outcomes = append(r.Outcomes, trail.Outcome{Action: "quarantine"})
		}, with(func(r *row) { r.done = "quarantine" })},
		{"another's outcome does not count", func(r *trail.Record) {
			r.Outcomes = append(r.Outcomes, trail.Outcome{To: []string{"x@quiet.test"}, Action: "reject"})
		}, &whole},
		{"the null path: SPF is of HELO, and not reported", func(r *trail.Record) { r.From = path("") }, with(func(r *row) { r.from, r.spf, r.spfFor = "", "", "" })},
	} {
		rec := base()
		c.change(&rec)
		text, err := json.Marshal(rec)
		if err != nil {
			t.Fatal(err)
		}
		var kept trail.Record
		if err := json.Unmarshal(text, &kept); err != nil {
			t.Fatal(err)
		}
		got, ok := rowOf(&kept, func(d string) bool { return d == "a.test" })
		if ok != (c.want != nil) || ok && got != *c.want {
			t.Errorf("%s: %+v, %v", c.why, got, ok)
		}
	}
}

// TestReasons: why something else was done than the domain asked for (RFC 9990
// section 3.1.6); where it was done as asked, there is no reason.
func TestReasons(t *testing.T) {
	zone := dns.MustZone(dns.Names{"_dmarc.b.test": {"TXT": []string{"v=DMARC1; p=reject; rua=mailto:r@b.test"}}})
	p, err := dmarc.Lookup(t.Context(), zone, "b.test")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		why  string
		r    row
		want string
	}{
		{"as asked", row{asked: "reject", done: "reject"}, "reject []"},
		{"as asked, whatever could be said for it", row{asked: "reject", done: "reject", why: "trusted_arc"}, "reject []"},
		{"the policy of the gateway was milder", row{asked: "reject", done: "none", why: "none"}, "none [{local_policy }]"},
		{"it was harder", row{asked: "none", done: "reject"}, "reject [{local_policy }]"},
		{"a forwarder", row{asked: "reject", done: "none", why: "trusted_forwarder"}, "none [{trusted_forwarder }]"},
		{"a chain", row{asked: "reject", done: "quarantine", why: "trusted_arc", chain: "arc=pass as[1].d=l.test"}, "quarantine [{local_policy arc=pass as[1].d=l.test}]"},
		{"an exempt domain", row{asked: "reject", done: "none", why: "local_policy"}, "none [{local_policy }]"},
		{"t=y", row{asked: "quarantine", done: "quarantine", testing: true}, "quarantine [{policy_test_mode }]"},
		{"it passed", row{asked: "none", done: "reject", pass: true}, "pass []"},
	} {
		rec := recordOf(t.Context(), p, c.r, 1)
		if got := fmt.Sprint(rec.Disposition, " ", rec.Reasons); got != c.want {
			t.Errorf("%s: %s, want %s", c.why, got, c.want)
		}
	}
}

// A day is reported after its end, and for one more day.
func TestDue(t *testing.T) {
	at := func(s string) time.Time {
		v, err := time.Parse(time.DateTime, s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for now, want := range map[string]string{
		"2026-05-03 00:05:00": "[2026-05-01]",
		"2026-05-03 01:00:00": "[2026-05-01 2026-05-02]",
		"2026-05-03 23:59:59": "[2026-05-01 2026-05-02]",
	} {
		var days []string
		for _, d := range due(at(now), "a.test") {
			days = append(days, d.Format(time.DateOnly))
		}
		if got := fmt.Sprint(days); got != want {
			t.Errorf("at %s: %s, want %s", now, got, want)
		}
	}
}

// What was sent and read is known after a restart.
func TestKept(t *testing.T) {
	now := time.Date(2026, 5, 3, 1, 0, 0, 0, time.UTC)
	o := Options{Dir: t.TempDir(), Now: func() time.Time { return now }}
	today, ctx := now.Truncate(day), context.Background()
	k, err := openKept(o)
	if err != nil {
		t.Fatal(err)
	}
	one := report.Summary{ID: "one", Domain: "a.test", End: today, Rows: []report.Row{{IP: "192.0.2.1", Count: 2}}}
	for _, err := range []error{k.markSent(ctx, today, "b.test"), k.markDone(ctx, today.Add(-day))} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if fresh, err := k.add(ctx, &one); !fresh || err != nil {
		t.Fatal(fresh, err)
	}
	if err := k.close(); err != nil {
		t.Fatal(err)
	}
	if k, err = openKept(o); err != nil {
		t.Fatal(err)
	}
	defer k.close()
	if !k.sent(today, "b.test") || k.sent(today, "c.test") || k.sent(today.Add(-day), "b.test") || !k.done(today.Add(-day)) || k.done(today) {
		t.Error("it does not know what was sent")
	}
	if fresh, err := k.add(ctx, &one); fresh || err != nil {
		t.Errorf("the same report again: %v, %v", fresh, err)
	}
	two := report.Summary{ID: "two", Domain: "b.test", End: today.Add(day)}
	if _, err := k.add(ctx, &two); err != nil {
		t.Fatal(err)
	}
	s := &Service{kept: k}
	for _, c := range []struct {
		q    Query
		want string
	}{
		{Query{}, "two/0 one/0 "},
		{Query{Domain: "a.test"}, "one/0 "},
		{Query{ID: "one"}, "one/1 "},
		{Query{Since: today.Add(time.Hour)}, "two/0 "},
	} {
		list, err := s.List(ctx, c.q)
		got := ""
		for _, r := range list {
			got += fmt.Sprintf("%s/%d ", r.ID, len(r.Rows))
		}
		if err != nil || got != c.want {
			t.Errorf("%+v: %s, %v; want %s", c.q, got, err, c.want)
		}
	}
}
