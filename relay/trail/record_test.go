package trail_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/forepost/forepost/relay/trail"
)

// whole is a record that has everything.
func whole() *trail.Record {
	from := "kim@partner.test"
	at := time.Date(2026, 1, 1, 9, 14, 3, 5e6, time.UTC)
	return &trail.Record{Time: at, Listener: "edge", Client: trail.Client{IP: "203.0.113.9", Name: "mx.partner.test", Helo: "mx", TLS: "TLS 1.3, X"},
		Auth: "kim", From: &from, To: []string{"bob@example.com", "ann@example.com"}, Subject: "Quarterly figures", Message: "<1@partner.test>", Size: 41000,
		Policy: "inbound", Hash: strings.Repeat("9f", 32), Loaded: at.Add(-time.Hour),
		Rules: []*trail.Rule{{Stage: "connect", Path: "inbound.connect.drop.never", Outcome: "no", Why: "not listed(client.ip, list.never)"},
			{Stage: "data", Path: "inbound.data.score.sender.no_rdns", Outcome: "+1.5", To: "bob@example.com", Took: 7}},
		Facts: []trail.Fact{
			{Filter: "spf", Took: 31000, Reason: "because", Auth: []string{"spf=fail"}, Conf: "abcd", Values: map[string]any{"result": "pass", "list": []string{"a", "b"},
				"none": []string{}, "yes": true, "no": false, "n": -3.0, "x": 1.5, "big": math.Inf(1), "ip": netip.MustParseAddr("2001:db8::1"), "wait": 90 * time.Second, "seen": at}},
			{Filter: "greylist", Rcpt: 2, Error: "timeout", Left: []string{"text"}}},
		Points: "7.7", Outcomes: []trail.Outcome{{To: []string{"bob@example.com"}, Action: "quarantine", Rule: "inbound.thresholds.quarantine", Reply: "250", Where: "spam", Tags: []string{"spam"}}},
		Added: []string{"Received"}, Trusted: true, Verified: true, Own: []string{"*@partner.test"}, UTF8: true, Declared: 40000,
		Rcpts:  []trail.Rcpt{{Address: "bob@example.com", Ours: true, Known: true, Domain: "example.com"}, {Address: "ann@example.com"}},
		Judged: at.Add(1500 * time.Millisecond), Read: true, Type: "multipart/mixed", Defects: []string{"bare-lf"},
		Header: []trail.Field{{Name: "From", Value: "Kim <kim@partner.test>"}, {Name: "List-Unsubscribe", Cut: true}}, Asked: []string{"X-Mark"}, Cut: []string{"why"}}
}

// sameOf compares records: what has no elements is nothing.
func sameOf(a, b *trail.Record) string {
	return cmp.Diff(a, b, cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.Addr{}), cmpopts.IgnoreUnexported(trail.Rule{}))
}

// TestRecordComesBack: all of a record, typed, from memory and after restarts,
// in the first words of a dictionary and in words that it knows.
func TestRecordComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, trail.Options{})
		var all []*trail.Record
		check := func(when string) {
			t.Helper()
			for i, r := range all {
				got, err := h.Story(r.ID)
				if err != nil || got.Record == nil {
					t.Fatalf("%s: record %d: %v", when, i, err)
				}
				if d := sameOf(r, got.Record); d != "" {
					t.Fatalf("%s: record %d:\n%s", when, i, d)
				}
			}
		}
		for range 4 {
			r := whole()
			r.ID = h.ids.Session().Transaction(0)
			all = append(all, r)
			h.Record(r)
			h.refuse(h.ids.Session().Transaction(0), "x@example.com", "y@example.org", "")
		}
		check("at once")
		synctest.Wait()
		check("on the disk")
		for day := range 3 {
			time.Sleep(25 * time.Hour) // another segment
			h.refuse(h.ids.Session().Transaction(0), "x@example.com", "y@example.org", "")
			synctest.Wait()
			check(fmt.Sprint("day ", day))
			h.close()
			h.open(trail.Options{})
			check(fmt.Sprint("restart ", day))
		}
		h.close()
	})
}

// TestSegmentsStandAlone: records are whole though the segments before theirs
// have gone, with the words that were first said there.
func TestSegmentsStandAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, trail.Options{Keep: 72 * time.Hour})
		for n := range 30 {
			r := whole()
			r.ID, r.Time = h.ids.Session().Transaction(0), time.Now().UTC()
			r.Judged = r.Time
			h.Record(r)
			time.Sleep(5 * time.Hour)
			if n%7 == 0 {
				h.close()
				h.open(trail.Options{Keep: 72 * time.Hour})
			}
		}
		h.close()
		h.open(trail.Options{Keep: 72 * time.Hour})
		defer h.close()
		got, err := h.Search(trail.Query{})
		if err != nil || len(got) < 10 {
			t.Fatalf("%d records, %v", len(got), err)
		}
		for _, r := range got {
			want := whole()
			want.ID, want.Time, want.Judged = r.ID, r.Time, r.Judged
			if d := sameOf(want, &r); d != "" {
				t.Fatalf("%s:\n%s", r.ID, d)
			}
		}
	})
}

// TestJSON: what a command prints has durations as words, and no number that
// JSON has not.
func TestJSON(t *testing.T) {
	text, err := json.Marshal(whole())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"wait":"1m30s"`, `"big":"+Inf"`, `"ip":"2001:db8::1"`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

// TestBounded: whatever a message does, its record has at most 64 KiB, says who
// and what came of it, and what it leaves out.
func TestBounded(t *testing.T) {
	long := strings.Repeat("ü", 3000)
	for name, c := range map[string]struct {
		change func(*trail.Record)
		cut    string
	}{
		"a long subject":      {func(r *trail.Record) { r.Subject, r.Message, r.Client.Helo = long, long, long }, ""},
		"thousands of facts":  {func(r *trail.Record) { r.Facts = slices.Repeat(r.Facts, 3000) }, "facts"},
		"thousands of values": {func(r *trail.Record) { r.Facts[0].Values["list"] = slices.Repeat([]string{"x", "abc"}, 5000) }, ""},
		"a large value":       {func(r *trail.Record) { r.Facts[0].Values["result"] = long }, ""},
		"thousands of rules":  {func(r *trail.Record) { r.Rules = distinct(20000) }, "why"},
		"a large header":      {func(r *trail.Record) { r.Header = slices.Repeat([]trail.Field{{Name: long, Value: long}}, 300) }, "header"},
		"many recipients":     {func(r *trail.Record) { r.Outcomes[0].To = many(5000, 1); r.To = r.Outcomes[0].To }, "recipients"},
		"many outcomes": {func(r *trail.Record) {
			r.Outcomes = slices.Repeat([]trail.Outcome{{Action: "reject", Reply: long, To: many(3, 1)}}, 3000)
		}, "recipients"},
		"reasons without end": {func(r *trail.Record) {
			r.Facts[0].Reason, r.Facts[0].Error, r.Facts[0].Auth = long, long, slices.Repeat([]string{long}, 300)
		}, ""},
		"all of an own account": {func(r *trail.Record) { r.Own = many(9000, 2) }, "recipients"},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := build(t, trail.Options{})
			defer h.close()
			r := whole()
			r.ID, r.Cut = h.ids.Session().Transaction(0), nil
			c.change(r)
			before, _ := json.Marshal(r)
			h.Record(r)
			synctest.Wait()
			if after, _ := json.Marshal(r); string(before) != string(after) {
				t.Errorf("%s: the record that was handed in has changed", name)
			}
			got, err := h.Story(r.ID)
			if err != nil || got.Record == nil || got.Record.Client.IP != r.Client.IP || *got.Record.From != *r.From || len(got.Record.Outcomes) == 0 || got.Record.Outcomes[0].Action != r.Outcomes[0].Action {
				t.Fatalf("%s: %v, %+v", name, err, got.Record)
			}
			if c.cut != "" && !slices.Contains(got.Record.Cut, c.cut) {
				t.Errorf("%s: it says that %q is cut, not %s", name, got.Record.Cut, c.cut)
			}
			if st := h.Trail.Stats(); st.Dropped != 0 || st.Bytes > 300<<10 {
				t.Errorf("%s: %+v", name, st)
			}
		})
	}
}

func distinct(n int) (rules []*trail.Rule) {
	for i := range n {
		rules = append(rules, &trail.Rule{Stage: "data", Path: fmt.Sprint("p.data.reject.r", i), Outcome: "no", Why: fmt.Sprint("not mail.domain == d", i)})
	}
	return rules
}

// TestStandingLines: lines that many records share are written as others are, take
// as little room, and are not changed by what a record makes of them.
func TestStandingLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, trail.Options{})
		defer h.close()
		session := h.ids.Session()
		long := strings.Repeat("x", 3000)
		line, far := trail.Line("data", "p.data.reject.a", "no", "not x"), trail.Line("data", "p.data.reject.far", "no", long)
		var want []*trail.Record
		for i := range 40 {
			r := &trail.Record{ID: session.Transaction(i), Time: time.Now().UTC(), Rules: []*trail.Rule{line, line.For("bob@example.com"), far}}
			h.Record(r)
			want = append(want, r)
		}
		if line.To != "" || len(far.Why) != 3000 {
			t.Errorf("lines have changed: %v %v", line, far)
		}
		for _, r := range want {
			got, err := h.Story(r.ID)
			if err != nil {
				t.Fatal(err)
			}
			if g := got.Record.Rules; len(g) != 3 || g[0].String() != "data p.data.reject.a no (not x)" || g[1].String() != "data p.data.reject.a no (not x) [bob@example.com]" || len(g[2].Why) != 1024 {
				t.Errorf("%v", g)
			}
		}
	})
}
