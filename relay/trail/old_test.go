package trail

import (
	"encoding/json"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
	"github.com/forepost/forepost/relay/mail"
)

// TestOldRecords: records of JSON, as they were written before there were
// versions, are told and found beside new ones.
func TestOldRecords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		disk := journaltest.New()
		ids := mail.NewIDs("a", time.Now)
		from := "old@example.net"
		old := Record{ID: ids.Session().Transaction(0), Time: time.Now().UTC(), From: &from, To: []string{"bob@example.com"}, Subject: "Alte Post",
			Outcomes: []Outcome{{Action: "reject", Rule: "p.rcpt.reject.x"}}, Facts: []Fact{{Filter: "dkim", Values: map[string]any{"domains": []any{"a.test"}}}}}
		text, _ := json.Marshal(old)
		j, err := journal.Open("/trail", journal.Options{Disk: disk, NoSync: true, Skim: true, SegmentSize: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Recover(t.Context()); err != nil {
			t.Fatal(err)
		}
		var b journal.Batch
		b.Add(journal.KindTrail, append(head(isJSON, old.ID, old.Time, len(text)), text...))
		if err := j.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		tr, err := Open("/trail", Options{Disk: disk, Segment: 1 << 20})
		if err != nil {
			t.Fatal(err)
		}
		defer tr.Close()
		tr.Record(&Record{ID: ids.Session().Transaction(0), Time: time.Now(), Subject: "Neue Post"})
		if s, err := tr.Story(old.ID); err != nil || s.Record == nil || s.Record.Subject != old.Subject || len(s.Record.Facts) != 1 {
			t.Errorf("%+v, %v", s.Record, err)
		}
		for text, n := range map[string]int{"alte": 1, "post": 2, "example.net": 1, "old@example.net": 1} {
			if got, err := tr.Search(Query{Text: text}); err != nil || len(got) != n {
				t.Errorf("%s: %d found, %v", text, len(got), err)
			}
		}
	})
}

// TestLaterVersion: a record of a version to come is an error that says so.
func TestLaterVersion(t *testing.T) {
	p := append(head(isRecord, "4bQz7K2MwXc9T", time.Now(), 9), recordVersion+1, 0, 0, 0, 0)
	e, err := decode(p)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := e.decodeRecord(&tables{}); err == nil || err.Error() != "trail: a record of version 2; this program knows up to 1" {
		t.Errorf("%v", err)
	}
}

// FuzzRecord: whatever stands in a file, reading it ends, with a record or an
// error.
func FuzzRecord(f *testing.F) {
	from := "a@b.test"
	d := newDictionary()
	for range 2 {
		p, err := encodeRecord(&Record{ID: "4bQz7K2MwXc9T", From: &from, To: []string{"c@d.test"}, Outcomes: []Outcome{{To: []string{"c@d.test"}, Action: "reject"}},
			Facts: []Fact{{Filter: "spf", Values: map[string]any{"result": "pass", "n": 1.5, "l": []string{"x"}}}}, Rules: []*Rule{{Stage: "rcpt", Path: "p.rcpt.reject.x", Outcome: "no"}}}, d)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p)
	}
	f.Add(d.encodeWords(0))
	f.Add(append(head(isJSON, "4bQz7K2MwXc9T", time.Unix(1e9, 0), 64), `{"rules":[null,{"stage":"rcpt"}]}`...))
	known := &tables{}
	known.learn(d.id, 0, d.list)
	f.Fuzz(func(t *testing.T, p []byte) {
		e, err := decode(p)
		if err != nil {
			return
		}
		if e.isOne() {
			if r, _, err := e.decodeRecord(known); err == nil { // an error is an answer
				for _, x := range r.Rules {
					_ = x.String() // none is missing
				}
			}
		}
		decodeWords(e.text)
	})
}
