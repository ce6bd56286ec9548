package queue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail"
)

// world is a queue on a real journal (on a disk in memory, which can forget),
// with a transport and a router that tests steer by the recipient's domain.
type world struct {
	t    testing.TB
	disk *journaltest.Disk
	j    *journal.Journal
	q    *Queue
	o    Options

	mu     sync.Mutex
	calls  []call
	events []trail.Event
	say    func(env mail.Envelope, r mail.Recipient) Attempt // nil: all is delivered
	block  map[string]chan struct{}                          // by domain: attempts wait
}

// call is one Deliver.
type call struct {
	at   time.Time
	env  mail.Envelope
	text string
}

func newWorld(t testing.TB, tune ...func(*Options)) *world {
	w := &world{t: t, disk: journaltest.New(), block: map[string]chan struct{}{}}
	w.o = Options{
		Router: w, Trail: w, IDs: mail.NewIDs("test", time.Now),
		Hostname: "mx.example.com", Postmaster: mail.MustParseAddress("postmaster@example.com"),
	}
	for _, f := range tune {
		f(&w.o)
	}
	w.open()
	t.Cleanup(w.stop)
	return w
}

// open opens the journal and makes the queue, but does not start it.
func (w *world) open() {
	w.t.Helper()
	j, err := journal.Open("/q", journal.Options{SegmentSize: 64 << 10, Disk: w.disk})
	if err != nil {
		w.t.Fatal(err)
	}
	w.j, w.o.Journal = j, j
	w.q = New(w.o)
	if err := j.Recover(context.Background()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) start() *world { w.q.Start(); return w }

// stop ends the queue and closes the journal.
func (w *world) stop() {
	if w.j == nil {
		return
	}
	w.mu.Lock()
	for d, c := range w.block {
		close(c)
		delete(w.block, d)
	}
	w.mu.Unlock()
	if err := w.q.Stop(context.Background()); err != nil {
		w.t.Error(err)
	}
	if err := w.j.Close(); err != nil {
		w.t.Error(err)
	}
	w.j = nil
}

func (w *world) Route(_ context.Context, to mail.Recipient) (Hop, Transport, error) {
	if to.Address.Domain == "nowhere.test" {
		return Hop{}, nil, mail.Refuse(50, 1, 2, "no such domain")
	}
	key := "mx:" + to.Address.Domain
	if to.Route != "" {
		key = "route:" + to.Route
	}
	return Hop{Key: key, Route: "mx", Final: to.Address.Domain == "local.test"}, w, nil
}

func (w *world) Deliver(ctx context.Context, env mail.Envelope, msg *mail.Message) []Attempt {
	w.mu.Lock()
	gate := w.block[env.To[0].Address.Domain]
	w.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return nil
		}
	}
	text, err := read(msg)
	if err != nil {
		if !errors.Is(err, journaltest.ErrStopped) {
			w.t.Errorf("the message of %s cannot be read: %v", env.ID, err)
		}
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, call{time.Now(), env, string(text)})
	as := make([]Attempt, len(env.To))
	for i, to := range env.To {
		as[i] = Attempt{Outcome: Delivered, Said: "250 2.0.0 ok", Host: "mx1." + to.Address.Domain}
		if w.say != nil {
			as[i] = w.say(env, to)
		}
		as[i].To = i
	}
	return as
}

func read(msg *mail.Message) ([]byte, error) {
	r, err := msg.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func (w *world) Record(*trail.Record) {}

func (w *world) Event(e trail.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, e)
}

// seen are the deliveries so far.
func (w *world) seen() []call {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]call(nil), w.calls...)
}

// story is the trail as "what to" words.
func (w *world) story() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var s []string
	for _, e := range w.events {
		s = append(s, e.What+" "+e.To)
	}
	return s
}

const body = "Subject: hello\r\nMessage-ID: <1@a.test>\r\n\r\nHello.\r\n"

func envelope(from string, to ...string) mail.Envelope {
	env := mail.Envelope{From: mail.MustParseAddress(from)}
	for _, a := range to {
		env.To = append(env.To, mail.Recipient{Address: mail.MustParseAddress(a)})
	}
	return env
}

// send commits a message.
func (w *world) send(env mail.Envelope) mail.ID {
	w.t.Helper()
	id, err := w.trySend(Submission{Envelope: env, Prefix: []mail.Field{{Name: "Received", Value: "from test"}}})
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

func (w *world) trySend(s ...Submission) (mail.ID, error) {
	id := w.o.IDs.Session().Transaction(0)
	d, err := w.q.Draft(id)
	if err != nil {
		return id, err
	}
	if _, err := io.WriteString(d, body); err != nil {
		return id, err
	}
	return id, d.Commit(context.Background(), s...)
}

// until waits for cond; it is for tests in real time, and gives up after 10 s.
func (w *world) until(what string, cond func() bool) {
	w.t.Helper()
	for end := time.Now().Add(10 * time.Second); !cond(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			w.t.Fatalf("not seen: %s\ntrail: %s\nstats: %+v", what, strings.Join(w.story(), "; "), w.q.Stats())
		}
	}
}

func (w *world) empty() bool { return w.q.Stats().Entries == 0 }

func deferred() Attempt {
	return Attempt{Outcome: Soft, Reply: mail.Defer(51, 4, 1, "not now"), Host: "mx1.slow.test[192.0.2.1]:25", Remote: true}
}

func refusal(text string) Attempt {
	return Attempt{Outcome: Hard, Reply: mail.Refuse(50, 1, 1, text), Host: "mx1.b.test[192.0.2.1]:25", Remote: true}
}

func short(calls []call) string {
	var b strings.Builder
	for _, c := range calls {
		fmt.Fprintf(&b, "%s>", c.env.From)
		for _, r := range c.env.To {
			fmt.Fprintf(&b, "%s,", r.Address)
		}
		b.WriteByte(' ')
	}
	return b.String()
}

// errNoSpace is what a full disk says.
var errNoSpace error = syscall.ENOSPC

// restart stops the queue, as a shutdown does, and opens it again.
func (w *world) restart() *world {
	w.t.Helper()
	w.stop()
	w.open()
	return w
}

// storyOf is the trail of one message.
func (w *world) storyOf(id mail.ID) (s []string) {
	for _, e := range w.events {
		if e.ID == id {
			s = append(s, e.What+" "+e.To+" "+e.Note)
		}
	}
	return s
}

// answer sets what the transport says from now on.
func (w *world) answer(say func(env mail.Envelope, r mail.Recipient) Attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.say = say
}

// hang makes deliveries to the domain wait for the answer to be called.
func (w *world) hang(domain string) (release func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	gate := make(chan struct{})
	w.block[domain] = gate
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.block[domain] == gate {
			delete(w.block, domain)
			close(gate)
		}
	}
}
