package inbound

import (
	"context"
	"fmt"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/trail"
)

// BenchmarkEdge is one message from the socket to its draft, in a session that
// goes on: wire, go-smtp, session, Received, the record for the trail. The
// socket is in memory, parser, spool and trail forget, the plan lets all pass and
// the directory knows everybody. cpu-us/op is of the whole process, garbage collection included.
func BenchmarkEdge(b *testing.B) {
	for _, size := range []int{8 << 10, 1 << 20} {
		for _, verb := range []string{"DATA", "BDAT"} {
			b.Run(fmt.Sprintf("%s/%dK", verb, size>>10), func(b *testing.B) { benchmarkEdge(b, verb, size) })
		}
	}
}

func benchmarkEdge(b *testing.B, verb string, size int) {
	body := benchBody(size)
	one := "MAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\n"
	if verb == "DATA" {
		one += "DATA\r\n" + body + ".\r\n"
	} else {
		one += fmt.Sprintf("BDAT %d LAST\r\n", len(body)) + body
	}
	each := max(1, 1<<20/size)
	script := []byte("EHLO x\r\n" + strings.Repeat(one, each) + "QUIT\r\n")
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	b.ResetTimer()
	before := cpuTime()
	for i := 0; i < b.N; i += each {
		s := newSite(func(c *Config) {
			c.Spool, c.Trail, c.newParser = &nullSpool{}, nullTrail{}, func() parser { return nullParser{} }
			c.Policies, c.Directory = newNullPlan(), nullDirectory{}
		})
		if said := talkIn(&s.cfg, script, bufSize); strings.Count(said, "Queued as") != each {
			b.Fatal(said)
		}
	}
	n := (b.N + each - 1) / each * each
	b.ReportMetric(float64((cpuTime()-before).Nanoseconds())/1000/float64(n), "cpu-us/op")
}

func benchBody(size int) string {
	body := "From: a@b.test\r\nTo: bob@example.com\r\nSubject: x\r\nDate: Mon, 23 Nov 2026 07:00:00 +0000\r\nMessage-ID: <x@b.test>\r\n\r\n"
	for len(body) < size {
		body += strings.Repeat("The quick brown fox jumps over the lazy dog, and again and again and again.\r\n", 13)
	}
	return body[:size-2] + "\r\n"
}

// BenchmarkConnection is a client that says EHLO and QUIT: what a connection
// costs before any message.
func BenchmarkConnection(b *testing.B) {
	s := newSite(func(c *Config) { c.Trail = nullTrail{} })
	b.ReportAllocs()
	for b.Loop() {
		if said := talk(&s.cfg, []byte("EHLO x\r\nQUIT\r\n")); !strings.HasSuffix(said, "221 2.0.0 Bye\r\n") {
			b.Fatal(said)
		}
	}
}

// cpuTime is what the process has used so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// nullParser, nullSpool and nullTrail forget.
type nullParser struct{}

var emptyPart = &mime.Part{}

func (nullParser) Write(p []byte) (int, error) { return len(p), nil }
func (nullParser) Close() *mime.Part           { return emptyPart }

type nullSpool struct{ n int }

func (d *nullSpool) Draft(mail.ID) (Draft, error) {
	d.n = 0
	return d, nil
}

func (d *nullSpool) Write(p []byte) (int, error)                       { d.n += len(p); return len(p), nil }
func (d *nullSpool) Blob() mail.Blob                                   { return d }
func (d *nullSpool) Commit(context.Context, ...queue.Submission) error { return nil }
func (d *nullSpool) Discard()                                          {}
func (d *nullSpool) Size() int64                                       { return int64(d.n) }
func (d *nullSpool) Open() (mail.BlobReader, error)                    { return nil, io.EOF }

type nullTrail struct{}

func (nullTrail) Record(*trail.Record) {}
func (nullTrail) Event(trail.Event)    {}

// nullPlan lets pass, nullDirectory takes for Bob.
type nullPlan struct{ one []pipeline.Verdict }

func newNullPlan() *nullPlan { return &nullPlan{make([]pipeline.Verdict, 1)} }

func (p *nullPlan) PlanFor(string) pipeline.Plan { return p }
func (p *nullPlan) Info() pipeline.PlanInfo      { return pipeline.PlanInfo{Name: "test", Hash: "00"} }

func (p *nullPlan) Run(_ context.Context, at pipeline.Stage, _ *pipeline.Transaction) []pipeline.Verdict {
	if at != pipeline.Data {
		return nil
	}
	return p.one
}

type nullDirectory struct{}

var final = []mail.Address{{Local: "bob", Domain: "example.com"}}

func (nullDirectory) Accepts(context.Context, mail.Address) (mail.Acceptance, error) {
	return mail.Acceptance{Ours: true, Known: true, Domain: "example.com", Final: final}, nil
}
