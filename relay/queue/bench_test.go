package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// instant delivers at once.
type instant struct {
	n    atomic.Int64
	down bool
}

func (x *instant) Route(_ context.Context, to mail.Recipient) (Hop, Transport, error) {
	return Hop{Key: to.Address.Domain, Route: "mx", Limit: 64}, x, nil
}

func (x *instant) Deliver(_ context.Context, env mail.Envelope, _ *mail.Message) []Attempt {
	x.n.Add(int64(len(env.To)))
	as := make([]Attempt, len(env.To))
	for i := range as {
		as[i] = Attempt{To: i, Outcome: Delivered, Said: "250 ok", Host: "mx1.b.test[192.0.2.1]:25"}
		if x.down {
			as[i] = deferred()
			as[i].To = i
		}
	}
	return as
}

// BenchmarkCommitToDelivered is 4 KiB messages from 64 writers, each commit
// durable, to a transport that takes no time. backlog is how many messages to a
// dead host wait meanwhile.
func BenchmarkCommitToDelivered(b *testing.B) {
	for _, backlog := range []int{0, 100_000} {
		b.Run(fmt.Sprintf("backlog=%d", backlog), func(b *testing.B) { benchDeliver(b, backlog) })
	}
}

func benchDeliver(b *testing.B, backlog int) {
	x := &instant{down: true}
	j, q := benchQueue(b, x)
	fill(b, q, backlog, 200)
	waitFor(func() bool { s := q.Stats(); return s.Ready+s.Active == 0 })
	x.down = false
	x.n.Store(0)
	text := []byte("Subject: x\r\n\r\n" + strings.Repeat("0123456789abcdef\r\n", 227))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	cpu, syncs := cpuTime(), j.Stats().Syncs
	b.ResetTimer()
	var left atomic.Int64
	left.Store(int64(b.N))
	var g sync.WaitGroup
	for range 64 {
		g.Go(func() {
			for left.Add(-1) >= 0 {
				commit(b, q, text, "b.test")
			}
		})
	}
	g.Wait()
	waitFor(func() bool { return x.n.Load() >= int64(b.N) && q.Stats().Entries <= backlog })
	b.StopTimer()
	b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N)/1000, "cpu-us/op")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "msg/s")
	b.ReportMetric(float64(j.Stats().Syncs-syncs)/float64(b.N), "syncs/op")
}

// cpuTime is what the process has used: on a shared machine it says more than
// the clock.
func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func benchQueue(tb testing.TB, r Router) (*journal.Journal, *Queue) {
	tb.Helper()
	j, err := journal.Open(tb.TempDir(), journal.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	q := New(Options{Journal: j, Router: r, IDs: mail.NewIDs("b", time.Now), Hostname: "mx.example.com"})
	if err := j.Recover(context.Background()); err != nil {
		tb.Fatal(err)
	}
	q.Start()
	tb.Cleanup(func() { q.Stop(context.Background()); j.Close() })
	return j, q
}

// received is a Received and an Authentication-Results field of common length.
var received = []mail.Field{
	{Name: "Received", Value: "from mail-ot1-f53.google.example (mail-ot1-f53.google.example [209.85.210.53])\r\n\tby mx.example.com with ESMTPS (TLS 1.3, TLS_AES_128_GCM_SHA256) id 4bQz7K2MwXc9T\r\n\tfor <somebody@customer.example>; Mon, 23 Nov 2026 07:14:03 +0000"},
	{Name: "Authentication-Results", Value: "mx.example.com; spf=pass smtp.mailfrom=someone@sender.example;\r\n\tdkim=pass header.d=sender.example header.s=s1 header.b=abcdefgh;\r\n\tdmarc=pass header.from=sender.example policy.p=reject"},
}

func commit(tb testing.TB, q *Queue, text []byte, domain string) {
	d, err := q.Draft(q.o.IDs.Session().Transaction(0))
	if err == nil {
		d.Write(text)
		err = d.Commit(context.Background(), Submission{Envelope: mail.Envelope{
			From: mail.Address{Local: "someone", Domain: "sender.example"},
			To:   []mail.Recipient{{Address: mail.Address{Local: "somebody", Domain: domain}}},
		}, Prefix: received})
	}
	if err != nil {
		tb.Error(err)
	}
}

func fill(tb testing.TB, q *Queue, n, size int) {
	text := []byte("Subject: x\r\n\r\n" + strings.Repeat("x", size) + "\r\n")
	var g sync.WaitGroup
	for range 64 {
		g.Go(func() {
			for range n / 64 {
				commit(tb, q, text, "dead.test")
			}
		})
	}
	g.Wait()
}

func waitFor(cond func() bool) {
	for !cond() {
		time.Sleep(100 * time.Microsecond)
	}
}

// BenchmarkWaiting measures what a waiting entry costs in memory, the journal's
// index of its blobs included.
func BenchmarkWaiting(b *testing.B) {
	_, q := benchQueue(b, &instant{down: true})
	before := heapInUse()
	fill(b, q, b.N, 100)
	waitFor(func() bool { s := q.Stats(); return s.Ready+s.Active == 0 })
	if n := q.Stats().Entries; n > 0 {
		b.ReportMetric(float64(heapInUse()-before)/float64(n), "heap-B/entry")
	}
}

// BenchmarkRestart measures Recover with waiting entries in the journal.
func BenchmarkRestart(b *testing.B) {
	dir := b.TempDir()
	open := func() (*journal.Journal, *Queue) {
		j, err := journal.Open(dir, journal.Options{})
		if err != nil {
			b.Fatal(err)
		}
		q := New(Options{Journal: j, Router: &instant{down: true}, IDs: mail.NewIDs("b", time.Now), Hostname: "mx.example.com"})
		if err := j.Recover(context.Background()); err != nil {
			b.Fatal(err)
		}
		q.Start()
		return j, q
	}
	j, q := open()
	fill(b, q, b.N, 2000)
	waitFor(func() bool { s := q.Stats(); return s.Ready+s.Active == 0 })
	q.Stop(context.Background())
	j.Close()
	b.ResetTimer()
	j, q = open()
	b.StopTimer()
	b.ReportMetric(float64(q.Stats().Entries)/b.Elapsed().Seconds(), "entries/s")
	q.Stop(context.Background())
	j.Close()
}

func heapInUse() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkEncoding is why records are not JSON.
func BenchmarkEncoding(b *testing.B) {
	env := mail.Envelope{
		ID: "4bQz7K2MwXc9T", From: mail.MustParseAddress("someone@sender.example"), Received: time.Now(),
		To: []mail.Recipient{{Address: mail.MustParseAddress("somebody@customer.example")}},
	}
	e := newEntry(key{1 << 30, 0}, &env, &dress{prefix: received})
	b.Run("binary", func(b *testing.B) {
		var n int
		for b.Loop() {
			r := entryRecord(e)
			if _, err := decodeEntry(r, nil); err != nil {
				b.Fatal(err)
			}
			n = len(r)
		}
		b.ReportMetric(float64(n), "octets")
	})
	b.Run("json", func(b *testing.B) {
		var n int
		for b.Loop() {
			r, _ := json.Marshal(Submission{Envelope: env, Prefix: received})
			var s Submission
			if err := json.Unmarshal(r, &s); err != nil {
				b.Fatal(err)
			}
			n = len(r)
		}
		b.ReportMetric(float64(n), "octets")
	})
}
