package queue

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// graveyard is ten thousand domains whose hosts do not answer, and one that does.
type graveyard struct {
	good  atomic.Int64
	dead  atomic.Int64
	hangs atomic.Int64 // nanoseconds that it takes to find out
}

const honest = "honest.test"

func (g *graveyard) Route(_ context.Context, to mail.Recipient) (Hop, Transport, error) {
	return Hop{Key: "mx:" + to.Address.Domain, Route: "mx"}, g, nil
}

func (g *graveyard) Deliver(ctx context.Context, env mail.Envelope, _ *mail.Message) []Attempt {
	if env.To[0].Address.Domain == honest {
		g.good.Add(1)
		return []Attempt{{Outcome: Delivered, Said: "250 ok", Host: "mx1.honest.test[192.0.2.1]:25"}}
	}
	g.dead.Add(1)
	select {
	case <-time.After(time.Duration(g.hangs.Load())):
	case <-ctx.Done():
	}
	return []Attempt{{Outcome: Soft, Host: env.To[0].Address.Domain + "[192.0.2.9]:25", Reply: mail.Defer(51, 4, 1, "The host did not answer: i/o timeout")}}
}

// BenchmarkBacklog is the promise about a backlog: a million messages for ten
// thousand dead domains, whose hosts take 10 s to not answer. It takes minutes:
//
//	go test -run '^$' -bench Backlog -benchtime 1x ./relay/queue
//
// FOREPOST_BACKLOG is another number of messages. alone/s, restarted/s and beside/s
// are what an honest destination gets from 64 writers: of an empty queue, right after
// a start with the backlog, and after a retry of all of it. They are taken in turn, and
// medians told, since others use the machine.
func BenchmarkBacklog(b *testing.B) {
	n, err := strconv.Atoi(os.Getenv("FOREPOST_BACKLOG"))
	if err != nil {
		n = 1_000_000
	}
	debug.SetGCPercent(400) // as serve has it: cmd/forepost, tuneCollector
	debug.SetMemoryLimit(832 << 20)
	dir, empty, g := b.TempDir(), b.TempDir(), &graveyard{}
	j, q := reopen(b, dir, g)
	bury(b, q, n)
	waitFor(func() bool { s := q.Stats(); return s.Ready+s.Active == 0 })
	g.hangs.Store(int64(10 * time.Second))
	q.Retry(Filter{})
	time.Sleep(time.Minute) // they are looked at again, and put off
	b.ReportMetric(float64(heapInUse())/float64(1<<20), "heap-MiB")
	b.ReportMetric(rss(b), "peak-MiB")
	shut(b, j, q)
	m := marks{}
	for range 3 {
		j, q = reopen(b, empty, g)
		m.flow(b, q, g, "alone")
		shut(b, j, q)
		j, q = nil, nil // a restart is another process
		debug.FreeOSMemory()
		began, cpu := time.Now(), cpuTime()
		j, q = reopen(b, dir, g)
		m.add("restart-s", time.Since(began).Seconds())
		m.add("restart-cpu-s", (cpuTime() - cpu).Seconds())
		m.flow(b, q, g, "restarted")
		q.Retry(Filter{})
		m.flow(b, q, g, "beside")
		b.Logf("%+v", q.Stats())
		shut(b, j, q)
	}
	m.report(b)
}

// marks are what was measured, by name.
type marks map[string][]float64

func (m marks) add(name string, v float64) { m[name] = append(m[name], v) }

func (m marks) report(b *testing.B) {
	for name, vs := range m {
		b.Logf("%s: %.1f", name, vs)
		slices.Sort(vs)
		b.ReportMetric(vs[len(vs)/2], name)
	}
}

func reopen(b *testing.B, dir string, r Router) (*journal.Journal, *Queue) {
	j, err := journal.Open(dir, journal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	q := New(Options{Journal: j, Router: r, IDs: mail.NewIDs("b", time.Now), Hostname: "mx.example.com"})
	if err := j.Recover(context.Background()); err != nil {
		b.Fatal(err)
	}
	q.Start()
	return j, q
}

func shut(b *testing.B, j *journal.Journal, q *Queue) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	q.Stop(ctx) // attempts that hang are cut off
	if err := j.Close(); err != nil {
		b.Fatal(err)
	}
}

// bury queues n messages for dead domains.
func bury(b *testing.B, q *Queue, n int) {
	text := []byte("Subject: x\r\n\r\n" + strings.Repeat("x", 1000) + "\r\n")
	var next atomic.Int64
	var g sync.WaitGroup
	for range 64 {
		g.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				commit(b, q, text, fmt.Sprintf("dead%d.test", i%10_000))
			}
		})
	}
	g.Wait()
}

// flow measures how many messages a second an honest destination gets, and what
// each costs: the clock says little on a machine that others use, too.
func (m marks) flow(b *testing.B, q *Queue, g *graveyard, name string) {
	text := []byte("Subject: x\r\n\r\n" + strings.Repeat("0123456789abcdef\r\n", 227))
	g.good.Store(0)
	var sent atomic.Int64
	began, cpu := time.Now(), cpuTime()
	var w sync.WaitGroup
	for range 64 {
		w.Go(func() {
			for time.Since(began) < 8*time.Second {
				if s := sent.Add(1); s-g.good.Load() > 5000 { // what the sender waits for is delivery
					sent.Add(-1)
					time.Sleep(time.Millisecond)
					continue
				}
				commit(b, q, text, honest)
			}
		})
	}
	w.Wait()
	n := float64(g.good.Load())
	m.add(name+"/s", n/time.Since(began).Seconds())
	m.add(name+"-cpu-us", float64((cpuTime()-cpu).Microseconds())/n)
}

// rss is the most memory that the process had, in MiB.
func rss(b *testing.B) float64 {
	data, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Skip("no /proc")
	}
	runtime.KeepAlive(data)
	_, rest, _ := strings.Cut(string(data), "VmHWM:")
	kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
	return kb / 1024
}
