package trail_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forepost/forepost/relay/journal/journaltest"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail"
)

// house opens trails on one disk, within a synctest bubble: time.Now is what
// the bubble says.
type house struct {
	t    testing.TB
	disk *journaltest.Disk
	ids  *mail.IDs
	*trail.Trail
}

func build(t testing.TB, o trail.Options) *house {
	time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))) // a bubble begins in 2000, IDs in 2020
	h := &house{t: t, disk: journaltest.New(), ids: mail.NewIDs("a", time.Now)}
	h.open(o)
	return h
}

func (h *house) open(o trail.Options) {
	h.t.Helper()
	o.Disk, o.Segment = h.disk, 1<<20
	tr, err := trail.Open("/trail", o)
	if err != nil {
		h.t.Fatal(err)
	}
	h.Trail = tr
}

func (h *house) close() {
	h.t.Helper()
	if err := h.Close(); err != nil {
		h.t.Fatal(err)
	}
}

// refuse records a transaction that was refused, and returns it.
func (h *house) refuse(id mail.ID, from, to, subject string) *trail.Record {
	r := &trail.Record{
		ID: id, Time: time.Now().UTC(), From: &from, To: []string{to}, Subject: subject,
		Client:   trail.Client{IP: "203.0.113.9"},
		Facts:    []trail.Fact{{Filter: "spf", Values: map[string]any{"result": "fail"}, Took: 12}},
		Outcomes: []trail.Outcome{{Action: "reject", Rule: "inbound.rcpt.reject", Reply: "550 5.7.1 no"}},
	}
	h.Record(r)
	return r
}

func (h *house) stories(id mail.ID) []trail.Story {
	h.t.Helper()
	got, err := h.Stories(id)
	if err != nil {
		h.t.Fatal(err)
	}
	return got
}

func (h *house) search(q trail.Query) (ids []mail.ID) {
	h.t.Helper()
	got, err := h.Search(q)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, r := range got {
		ids = append(ids, r.ID)
	}
	return ids
}

// TestStory: what was just written is found at once, and after a restart.
func TestStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, trail.Options{})
		session := h.ids.Session()
		id := session.Transaction(0)
		r := h.refuse(id, "a@example.com", "b@example.org", "hello")
		want := trail.Story{Record: r}
		for i, what := range []string{"deferred", "delivered"} {
			time.Sleep(time.Hour)
			e := trail.Event{ID: id, Time: time.Now().UTC(), What: what, Host: fmt.Sprint("mx", i)}
			h.Event(e)
			want.Events = append(want.Events, e)
			if got, err := h.Story(id); err != nil || !cmp.Equal(got, want) {
				t.Fatalf("%v\n%s", err, cmp.Diff(want, got))
			}
		}
		h.close()
		h.open(trail.Options{})
		defer h.close()
		if got, err := h.Story(id); err != nil || !cmp.Equal(got, want) {
			t.Errorf("after a restart: %v\n%s", err, cmp.Diff(want, got))
		}
		if got, err := h.Story(h.ids.Session()); err != nil || got.Record != nil || got.Events != nil {
			t.Errorf("an unknown ID has a story: %+v, %v", got, err)
		}
		if _, err := h.Story("no ID"); err == nil || !strings.Contains(err.Error(), `"no ID" is not an ID`) {
			t.Errorf("what is no ID: %v", err)
		}
	})
}

// TestSession: the ID of a session finds its transactions and no others.
func TestSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, trail.Options{})
		defer h.close()
		before, session, after := h.ids.Session(), h.ids.Session(), h.ids.Session()
		var want []mail.ID
		for n := range 3 {
			h.refuse(before.Transaction(n), "x@example.com", "y@example.org", "")
			want = append(want, session.Transaction(n))
			h.refuse(session.Transaction(n), "a@example.com", "b@example.org", "")
			h.refuse(after.Transaction(n), "x@example.com", "y@example.org", "")
		}
		var got []mail.ID
		for _, s := range h.stories(session) {
			got = append(got, s.Record.ID)
		}
		if !cmp.Equal(got, want) {
			t.Error(cmp.Diff(want, got))
		}
		if got := h.stories(session.Transaction(1)); len(got) != 1 || got[0].Record.ID != session.Transaction(1) {
			t.Errorf("one transaction: %+v", got)
		}
	})
}

// TestSealed: stories that are spread over days, and so over segments, are
// found, the second time with the help of sieves.
func TestSealed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, trail.Options{})
		defer h.close()
		id := h.ids.Session().Transaction(0)
		h.refuse(id, "a@example.com", "b@example.org", "")
		for day := range 6 {
			time.Sleep(25 * time.Hour)
			for range 50 {
				h.refuse(h.ids.Session().Transaction(0), "x@example.com", "y@example.org", "")
			}
			if day%2 == 0 {
				h.Event(trail.Event{ID: id, Time: time.Now().UTC(), What: "deferred"})
			}
		}
		for round := range 2 {
			got, err := h.Story(id)
			if err != nil || got.Record == nil || len(got.Events) != 3 {
				t.Fatalf("round %d: %+v, %v", round, got, err)
			}
		}
	})
}

func TestSearch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, trail.Options{})
		defer h.close()
		var ids []mail.ID
		add := func(from, to, subject, action string) {
			id := h.ids.Session().Transaction(0)
			r := &trail.Record{ID: id, Time: time.Now(), From: &from, To: []string{"other@example.net", to}, Subject: subject,
				Client: trail.Client{IP: "2001:db8::1"}, Outcomes: []trail.Outcome{{Action: "accept"}, {Action: action}}}
			h.Record(r)
			ids = append(ids, id)
			time.Sleep(13 * time.Hour) // two segments a day
		}
		add("Alice@Example.com", "bob@example.org", "Invoice <42> & \"more\"", "reject")
		add("", "bob@example.org", "Delivery status", "accept")
		add("carol@example.com", "alice@example.com", "J\u00fcrgen \u00c4rger", "quarantine")
		add("alice@sub.example.com", "dave@example.org", "again", "reject")
		begin := ids[1].Time()
		for name, c := range map[string]struct {
			q    trail.Query
			want []int // newest first
		}{
			"everything":             {trail.Query{}, []int{3, 2, 1, 0}},
			"a limit":                {trail.Query{Limit: 2}, []int{3, 2}},
			"sender":                 {trail.Query{From: "alice@example.com"}, []int{0}},
			"brackets and case":      {trail.Query{From: "<ALICE@EXAMPLE.COM>"}, []int{0}},
			"recipient":              {trail.Query{To: "bob@example.org"}, []int{1, 0}},
			"either":                 {trail.Query{Address: "alice@example.com"}, []int{2, 0}},
			"domain, not subdomains": {trail.Query{From: "@example.com"}, []int{2, 0}},
			"text in an address":     {trail.Query{Text: "alice"}, []int{3, 2, 0}},
			"text that JSON escapes": {trail.Query{Text: `<42> & "more`}, []int{0}},
			"text beyond ASCII":      {trail.Query{Text: "\u00e4rger"}, []int{2}},
			"action":                 {trail.Query{Action: "reject"}, []int{3, 0}},
			"address and action":     {trail.Query{Action: "reject", To: "bob@example.org"}, []int{0}},
			"client":                 {trail.Query{IP: "2001:db8::1", Limit: 1}, []int{3}},
			"since":                  {trail.Query{Since: begin}, []int{3, 2, 1}},
			"until":                  {trail.Query{Until: begin}, []int{1, 0}},
			"nothing":                {trail.Query{From: "nobody@example.com"}, nil},
		} {
			var want []mail.ID
			for _, i := range c.want {
				want = append(want, ids[i])
			}
			if got := h.search(c.q); !cmp.Equal(got, want) {
				t.Errorf("%s: %v, want %v", name, got, want)
			}
		}
	})
}

// TestRetention: what is older than Keep goes, by whole segments, and is not
// found before that.
func TestRetention(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, trail.Options{Keep: 72 * time.Hour})
		defer h.close()
		var ids []mail.ID
		for range 10 {
			ids = append(ids, h.ids.Session().Transaction(0))
			h.refuse(ids[len(ids)-1], "a@example.com", "b@example.org", "")
			time.Sleep(25 * time.Hour)
		}
		if got := h.search(trail.Query{}); len(got) != 2 {
			t.Errorf("%d records are found, 2 are younger than three days", len(got))
		}
		if got := h.stories(ids[0]); got != nil {
			t.Errorf("the oldest is still there: %+v", got)
		}
		if got := h.Trail.Stats().Oldest; time.Since(got) > 72*time.Hour+2*25*time.Hour {
			t.Errorf("there is something of %v", got)
		}
		if got := h.stories(ids[9]); len(got) != 1 {
			t.Errorf("the newest has gone: %+v", got)
		}
	})
}

// TestNeverBlocks: a disk that stands still costs entries, not time; what is
// lost is counted, and the rest is there afterwards.
func TestNeverBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, trail.Options{})
		defer h.close()
		gate := make(chan struct{})
		var once sync.Once
		h.disk.SetFail(func(op, _ string) error {
			if op == "write" {
				once.Do(func() { <-gate })
			}
			return nil
		})
		first := h.ids.Session().Transaction(0)
		h.refuse(first, "a@example.com", "b@example.org", "")
		for n := range 2000 {
			id := h.ids.Session().Transaction(0)
			h.Record(&trail.Record{ID: id, Time: time.Now(), Outcomes: []trail.Outcome{{Action: "reject", To: many(800, n)}}})
		}
		lost := h.Trail.Stats().Dropped
		if lost < 1300 || lost > 1900 {
			t.Errorf("%d of 2,000 entries of some 20 KiB were dropped by a buffer of 8 MiB", lost)
		}
		close(gate)
		synctest.Wait()
		if st := h.Trail.Stats(); st.Written != 2001-lost {
			t.Errorf("%d written, %d dropped", st.Written, lost)
		}
		if got := h.stories(first); len(got) != 1 {
			t.Errorf("the first has gone: %+v", got)
		}
	})
}

// many are recipients that nobody else has.
func many(n, of int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("%d-%d@many.example.com", of, i))
	}
	return list
}

// TestFull: a full disk costs entries while it is full.
func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, trail.Options{})
		defer h.close()
		h.disk.SetSpace(0)
		lost := h.ids.Session().Transaction(0)
		h.refuse(lost, "a@example.com", "b@example.org", "")
		synctest.Wait()
		h.disk.SetSpace(1 << 30)
		kept := h.ids.Session().Transaction(0)
		h.refuse(kept, "a@example.com", "b@example.org", "")
		synctest.Wait()
		if st := h.Trail.Stats(); st.Dropped != 1 || st.Written != 1 {
			t.Errorf("%+v", st)
		}
		if h.stories(lost) != nil || len(h.stories(kept)) != 1 {
			t.Error("the wrong one was kept")
		}
	})
}

// TestMemoryAndDisk: searches that run while entries go from memory to the
// disk find each exactly once.
func TestMemoryAndDisk(t *testing.T) {
	h := build(t, trail.Options{})
	defer h.close()
	session := h.ids.Session()
	for n := range 300 {
		id := session.Transaction(n)
		h.refuse(id, "a@example.com", "b@example.org", "")
		got, err := h.Story(id)
		if err != nil || got.Record == nil {
			t.Fatalf("transaction %d: %+v, %v", n, got, err)
		}
		if found := h.search(trail.Query{Limit: 1000}); len(found) != n+1 {
			t.Fatalf("%d records found after %d", len(found), n+1)
		}
	}
}

// TestDamage: a segment that cannot be read is an error that names it, not an
// empty answer.
func TestDamage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := build(t, trail.Options{})
		defer h.close()
		id := h.ids.Session().Transaction(0)
		h.refuse(id, "a@example.com", "b@example.org", "")
		synctest.Wait()
		broken := errors.New("input/output error")
		h.disk.SetFail(func(op, _ string) error {
			if op == "read" {
				return broken
			}
			return nil
		})
		if _, err := h.Story(id); !errors.Is(err, broken) || !strings.Contains(err.Error(), "0000000001.seg") {
			t.Errorf("Story: %v", err)
		}
		if _, err := h.Search(trail.Query{}); !errors.Is(err, broken) {
			t.Errorf("Search: %v", err)
		}
		h.disk.SetFail(nil)
	})
}

// BenchmarkRecord is a decision with ten facts and ten rules.
func BenchmarkRecord(b *testing.B) {
	tr, err := trail.Open(b.TempDir(), trail.Options{})
	if err != nil {
		b.Fatal(err)
	}
	from := "alice@example.com"
	r := &trail.Record{Time: time.Now(), From: &from, To: []string{"bob@example.org"}, Subject: "Minutes of the meeting"}
	for i := range 10 {
		r.Facts = append(r.Facts, trail.Fact{Filter: fmt.Sprint("filter", i), Values: map[string]any{"result": "pass"}, Took: 100})
		r.Rules = append(r.Rules, &trail.Rule{Stage: "data", Path: fmt.Sprint("inbound.data.reject.rule", i), Outcome: "no"})
	}
	text, _ := json.Marshal(r)
	ids := mail.NewIDs("a", time.Now)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		r.ID = ids.Session().Transaction(0)
		tr.Record(r)
	}
	if err := tr.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(tr.Stats().Dropped)/float64(b.N), "dropped/op")
}
