package trail_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail"
)

// traffic makes records as a gateway of a company writes them: a few domains
// send most, half of it is refused, every client and message has its own name.
type traffic struct {
	rnd   *rand.Rand
	ids   *mail.IDs
	now   atomic.Int64 // in nanoseconds since 1970: the trail asks at any time
	step  time.Duration
	n     int
	words []string
}

func newTraffic(n int, span time.Duration) *traffic {
	tr := &traffic{rnd: rand.New(rand.NewPCG(1, 2)), step: span / time.Duration(n)}
	tr.now.Store(time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC).UnixNano())
	tr.ids = mail.NewIDs("a", tr.time)
	for i := range 5000 {
		tr.words = append(tr.words, fmt.Sprintf("word%d", i))
	}
	return tr
}

func (tr *traffic) time() time.Time { return time.Unix(0, tr.now.Load()).UTC() }

// few is a number below n, small ones far more often.
func (tr *traffic) few(n int) int { f := tr.rnd.Float64(); return int(f * f * f * float64(n)) }

var trafficRules = func() (rules []*trail.Rule) {
	for i, stage := range strings.Fields("connect mail mail rcpt rcpt rcpt rcpt data data data data data data data data") {
		rules = append(rules, &trail.Rule{Stage: stage, Path: fmt.Sprintf("inbound.%s.reject.rule-%d", stage, i), Outcome: "no", Why: fmt.Sprintf("not listed(mail.domain, list.partners) && fact.%d > 7", i)})
	}
	return rules
}()

func (tr *traffic) next() *trail.Record {
	tr.now.Add(int64(tr.step))
	tr.n++
	domain := fmt.Sprintf("d%d.test", tr.few(40000))
	from := fmt.Sprintf("user%d@%s", tr.few(300), domain)
	to := fmt.Sprintf("person%d@example.com", tr.few(2000))
	ip := fmt.Sprintf("10.%d.%d.%d", tr.few(256), tr.few(256), tr.rnd.IntN(250))
	subject := ""
	for range 2 + tr.rnd.IntN(6) {
		subject += tr.words[tr.few(len(tr.words))] + " "
	}
	r := &trail.Record{ID: tr.ids.Session().Transaction(0), Time: tr.time(), Listener: "edge", Client: trail.Client{IP: ip, Name: "mx." + domain, Helo: "mx." + domain, TLS: "TLS 1.3, TLS_AES_128_GCM_SHA256"},
		From: &from, To: []string{to}, Subject: subject, Message: fmt.Sprintf("<%d.%x@%s>", tr.n, tr.rnd.Uint32(), domain), Size: int64(tr.rnd.IntN(1e6)), Policy: "inbound", Hash: strings.Repeat("9f", 32), Loaded: tr.time().Truncate(24 * time.Hour),
		Read: true, Type: "multipart/alternative", Judged: tr.time().Add(time.Second), Rcpts: []trail.Rcpt{{Address: to, Ours: true, Known: true, Domain: "example.com"}},
		Header: []trail.Field{{Name: "From", Value: "Somebody <" + from + ">"}, {Name: "To", Value: to}, {Name: "Subject", Value: subject}}}
	r.Rules = append(r.Rules, trafficRules...)
	r.Facts = []trail.Fact{
		{Filter: "dkim", Took: int64(tr.rnd.IntN(3000)), Values: map[string]any{"result": "pass", "domains": []string{domain}, "selectors": []string{"s1"}, "algorithms": []string{"rsa-sha256"}, "key_bits": 2048.0}},
		{Filter: "dmarc", Took: int64(tr.rnd.IntN(30)), Values: map[string]any{"result": "pass", "policy": "none", "published": "reject", "domain": domain}},
		{Filter: "dnsbl.zen", Took: int64(tr.rnd.IntN(90000)), Values: map[string]any{"listed": false}},
		{Filter: "spf", Took: int64(tr.rnd.IntN(90000)), Values: map[string]any{"result": "pass", "domain": domain, "mechanism": "ip4:10.0.0.0/8"}},
		{Filter: "greylist:inbound.rcpt.greylist.strangers", Rcpt: 1, Took: 20, Values: map[string]any{"early": false}},
	}
	o := trail.Outcome{To: r.To, Action: "accept", Reply: "250 2.0.0 Queued as " + string(r.ID)}
	switch n := tr.rnd.IntN(1000); {
	case n < 400:
		o = trail.Outcome{To: r.To, Action: "reject", Rule: "inbound.rcpt.reject.dnsbl", Reply: "550 5.7.1 blocked (" + string(r.ID) + ")"}
	case n < 430:
		o = trail.Outcome{To: r.To, Action: "quarantine", Rule: "inbound.thresholds.quarantine", Reply: o.Reply, Where: "spam", Tags: []string{"spam"}}
	case n < 431:
		o.Action, o.Rule = "hold", "inbound.data.hold.odd"
	}
	r.Outcomes = []trail.Outcome{o}
	return r
}

// manyMessages is how many are searched: some, or FOREPOST_TRAIL of them.
func manyMessages() int {
	if n, err := strconv.Atoi(os.Getenv("FOREPOST_TRAIL")); err == nil {
		return n
	}
	return 10000
}

// TestManyMessages: searches for what is rare and for what is common are
// answered from the index, all at about the same speed, and find what a reading
// of all finds. With FOREPOST_TRAIL=3000000 it is a measurement.
func TestManyMessages(t *testing.T) {
	n := manyMessages()
	tr := newTraffic(n, time.Duration(n)*600*time.Millisecond)
	dir := t.TempDir()
	o := trail.Options{Now: tr.time, MaxBytes: 1 << 40, Keep: 1000 * time.Hour}
	if n < 1e6 {
		o.Segment = 1 << 20
	}
	h, err := trail.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	needles := map[int]*trail.Record{}
	want := map[string]int{}
	begin := time.Now()
	for i := range n {
		r := tr.next()
		if i == n/7 {
			from := "needle@haystack.test"
			r.From, r.Subject, r.Client.IP = &from, "Wanderfalke word1", "192.0.2.77"
			needles[i] = r
		}
		if r.Outcomes[0].Action == "hold" {
			want["hold"]++
		}
		if *r.From == "user1@d7.test" {
			want["user1@d7.test"]++
		}
		for i%256 == 0 && behind(h, i) {
			time.Sleep(time.Millisecond) // disk and index keep up; a buffer that runs full is another test's
		}
		h.Record(r)
	}
	for h.Stats().Written < uint64(n) {
		time.Sleep(time.Millisecond)
	}
	wrote := time.Since(begin)
	killed := copyTrail(t, dir)
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	begin = time.Now()
	if h, err = trail.Open(dir, o); err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	opened := time.Since(begin)
	if _, err := h.Search(trail.Query{From: "nobody@nowhere.test"}); err != nil {
		t.Fatal(err)
	}
	log := octets(t, dir, "*.seg")
	t.Logf("%d messages in %v (%.1f us each), %d octets each and %d of index; opened in %v, first search %v", n, wrote, wrote.Seconds()*1e6/float64(n),
		log/int64(n), octets(t, dir, "index/*.idx")/int64(n), opened, time.Since(begin)-opened)
	middle := needles[n/7].Time
	for _, c := range []struct {
		name string
		q    trail.Query
		want int // -1: the limit
	}{
		{"a rare address", trail.Query{Text: "needle@haystack.test"}, 1},
		{"a rare sender", trail.Query{From: "needle@haystack.test"}, 1},
		{"an address of many", trail.Query{From: "user1@d7.test", Limit: 10000}, min(want["user1@d7.test"], 10000)},
		{"nobody", trail.Query{Text: "nobody@nowhere.test"}, 0},
		{"a common domain", trail.Query{Address: "@d0.test"}, -1},
		{"our domain", trail.Query{To: "@example.com"}, -1},
		{"a subject word", trail.Query{Text: "wanderfalke"}, 1},
		{"a common word and a rare one", trail.Query{Text: "word1 wanderfalke"}, 1},
		{"a message-id", trail.Query{Text: needles[n/7].Message}, 1},
		{"an ID", trail.Query{Text: string(needles[n/7].ID)}, 1},
		{"an IP address", trail.Query{Text: "192.0.2.77"}, 1},
		{"a network", trail.Query{IP: "192.0.2.0/24"}, 1},
		{"a common verdict", trail.Query{Action: "reject"}, -1},
		{"a rare verdict", trail.Query{Action: "hold", Limit: 10000}, min(want["hold"], 10000)},
		{"a tag", trail.Query{Tag: "spam"}, -1},
		{"a rule", trail.Query{Rule: "thresholds.quarantine"}, -1},
		{"a recipient", trail.Query{To: needles[n/7].To[0]}, -1},
		{"an hour long ago", trail.Query{Since: middle.Add(-time.Hour), Until: middle}, -1},
		{"a domain in an hour long ago", trail.Query{Address: "@d0.test", Since: middle.Add(-time.Hour), Until: middle}, -1},
		{"a rule within an hour", trail.Query{Rule: "dnsbl", Since: middle.Add(-time.Hour), Until: middle}, -1},
		{"a verdict and a rare address", trail.Query{Text: "needle@haystack.test", Action: needles[n/7].Outcomes[0].Action}, 1},
		{"two that exclude each other", trail.Query{Action: "hold", Rule: "rcpt.reject.dnsbl"}, 0},
	} {
		begin, before := time.Now(), used(t)
		got, err := h.Search(c.q)
		took, worked := time.Since(begin), used(t)-before
		if err != nil {
			t.Fatal(err)
		}
		if c.want >= 0 && len(got) != c.want || c.want < 0 && len(got) == 0 {
			t.Errorf("%s: %d found, want %d", c.name, len(got), c.want)
		}
		t.Logf("%-30s %5d found in %v, %v of it processor time", c.name, len(got), took, worked)
		if n > 1e6 && worked > time.Second { // where it is a measurement
			t.Errorf("%s took %v of processor time", c.name, worked)
		}
	}
	begin = time.Now()
	if s, err := h.Story(needles[n/7].ID); err != nil || s.Record == nil || s.Record.Subject != needles[n/7].Subject {
		t.Errorf("the story: %+v, %v", s, err)
	}
	t.Logf("a story in %v", time.Since(begin))
	afterKill(t, killed, o, needles[n/7])
}

// behind tells whether the writer should wait for disk and index, as it need not at
// the pace at which mail comes.
func behind(h *trail.Trail, written int) bool {
	st := h.Stats()
	return st.Written+2000 < uint64(written) || st.Unindexed > 1<<20
}

// copyTrail copies the files as they are now: as a kill would leave them.
func copyTrail(t *testing.T, dir string) string {
	t.Helper()
	killed := t.TempDir()
	if err := os.CopyFS(killed, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return killed
}

// afterKill searches at once in a trail that was not closed.
func afterKill(t *testing.T, dir string, o trail.Options, needle *trail.Record) {
	t.Helper()
	begin := time.Now()
	h, err := trail.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	opened := time.Since(begin)
	for _, what := range []string{"first", "second"} {
		begin = time.Now()
		got, err := h.Search(trail.Query{Text: *needle.From})
		took := time.Since(begin)
		if err != nil || len(got) != 1 {
			t.Errorf("after a kill: %d found, %v", len(got), err)
		}
		t.Logf("after a kill, opened in %v: the %s search in %v; %d octets have no index then", opened, what, took, h.Stats().Unindexed)
	}
}

// used is the processor time of this process: others may load the machine.
func used(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func octets(t *testing.T, dir, pattern string) (n int64) {
	names, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		st, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		n += st.Size()
	}
	return n
}
