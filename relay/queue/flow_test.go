package queue

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// A destination hangs with a thousand messages; mail to another is delivered at
// once, and the stuck one has no more attempts under way than it may.
func TestStuckHopHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		release := w.hang("stuck.test")
		for i := range 1000 {
			w.send(envelope("a@a.test", fmt.Sprintf("u%d@stuck.test", i)))
		}
		start := time.Now()
		w.send(envelope("a@a.test", "b@quick.test"))
		synctest.Wait()
		if s := short(w.seen()); s != "a@a.test>b@quick.test, " || time.Since(start) > time.Second {
			t.Fatalf("delivered after %s: %s", time.Since(start), s)
		}
		if s := w.q.Stats(); s.Active != firstWindow || s.Ready != 995 {
			t.Errorf("stats %+v", s)
		}
		release()
		synctest.Wait()
		if len(w.seen()) != 1001 || !w.empty() {
			t.Errorf("%d delivered, stats %+v", len(w.seen()), w.q.Stats())
		}
	})
}

// Stop waits for what is under way and begins nothing new.
func TestStopDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *Options) { o.PerHop = 1 }).start()
		release := w.hang("slow.test")
		w.send(envelope("a@a.test", "under-way@slow.test"))
		synctest.Wait()
		w.send(envelope("a@a.test", "in-line@slow.test"))
		synctest.Wait()
		time.AfterFunc(5*time.Second, release)
		if err := w.q.Stop(context.Background()); err != nil {
			t.Error(err)
		}
		if s := short(w.seen()); s != "a@a.test>under-way@slow.test, " {
			t.Errorf("delivered: %s", s)
		}
		if _, err := w.q.Draft("x"); !errors.Is(err, ErrStopped) {
			t.Errorf("a draft after Stop: %v", err)
		}
		w.restart().start()
		synctest.Wait()
		if len(w.seen()) != 2 || !w.empty() {
			t.Errorf("after the restart: %s", short(w.seen()))
		}
	})
}

// Stop cuts off what does not end in time; it is tried again later.
func TestStopCutsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		w.hang("stuck.test")
		w.send(envelope("a@a.test", "b@stuck.test"))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if err := w.q.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Stop: %v", err)
		}
		w.restart().start()
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if len(w.seen()) != 1 || !w.empty() {
			t.Errorf("after the restart: %s", short(w.seen()))
		}
	})
}

// What ends its time elsewhere cuts nothing off here, and is not said to.
func TestStopWithoutTimeWhenIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		w.send(envelope("a@a.test", "b@b.test"))
		synctest.Wait()
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		for range 20 { // which of two ready channels is taken is chance
			if err := w.q.Stop(ctx); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// A policy that panics costs an attempt; the next one goes through.
func TestPanickingJudge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		w := newWorld(t, func(o *Options) {
			o.Judge = judgeFunc(func(mail.Recipient, Try) Ruling {
				if asked++; asked == 1 {
					panic("no")
				}
				return Ruling{}
			})
		}).start()
		w.send(envelope("a@a.test", "b@b.test"))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if s := strings.Join(w.story(), "; "); s != "deferred b@b.test; delivered b@b.test" || !w.empty() {
			t.Errorf("trail: %s", s)
		}
	})
}

// A transport that panics, or forgets a recipient, has not delivered.
func TestBadTransport(t *testing.T) {
	for _, bad := range []string{"panics", "forgets", "is out of range"} {
		t.Run(bad, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.o.Router = badRouter{w, bad}
				w.stop()
				w.open()
				w.start()
				id := w.send(envelope("a@a.test", "b@b.test", "c@b.test"))
				synctest.Wait()
				for _, r := range w.q.Show(id)[0].Recipients {
					if want := r.Index == 0 && bad != "panics"; (r.State == Done) != want {
						t.Errorf("recipient %d is %s", r.Index, r.State)
					}
				}
			})
		})
	}
}

type badRouter struct {
	*world
	how string
}

func (b badRouter) Route(ctx context.Context, to mail.Recipient) (Hop, Transport, error) {
	return Hop{Key: "x"}, b, nil
}

func (b badRouter) Deliver(_ context.Context, env mail.Envelope, _ *mail.Message) []Attempt {
	switch b.how {
	case "panics":
		panic("no")
	case "forgets":
		return []Attempt{{To: 0, Outcome: Delivered}}
	}
	return []Attempt{{To: 0, Outcome: Delivered}, {To: 2, Outcome: Delivered}, {To: -1, Outcome: Delivered}}
}

// What a draft refuses, and what it does when nothing is submitted.
func TestDraft(t *testing.T) {
	w := newWorld(t).start()
	ctx := context.Background()
	good := Submission{Envelope: envelope("a@a.test", "b@b.test")}
	overlap := good
	overlap.Edits = []mail.Edit{{Off: 0, End: 9}, {Off: 5, End: 9}}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	for _, c := range []struct {
		why  string
		ctx  context.Context
		subs []Submission
		want error
	}{
		{"no recipients", ctx, []Submission{{Envelope: envelope("a@a.test")}}, ErrNobody},
		{"one good, one without recipients: neither is kept", ctx, []Submission{good, {}}, ErrNobody},
		{"edits that cannot both be done", ctx, []Submission{overlap}, mail.ErrEditOverlap},
		{"the client went away", ended, []Submission{good}, context.Canceled},
		{"nothing to keep: all recipients were discarded", ctx, nil, nil},
	} {
		d, err := w.q.Draft(w.o.IDs.Session().Transaction(0))
		if err != nil {
			t.Fatal(err)
		}
		d.Write([]byte(body))
		if err := d.Commit(c.ctx, c.subs...); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v", c.why, err)
		}
		if _, err := d.Write([]byte("x")); err != ErrOver {
			t.Errorf("%s: a write afterwards: %v", c.why, err)
		}
	}
	if s := w.q.Stats(); s.Entries != 0 || w.j.Stats().Blobs != 0 || len(w.seen()) != 0 {
		t.Errorf("something was kept: %+v", s)
	}
}

// Many writers, many hops, deferrals, reports, controls and lists at once: the
// race detector's test.
func TestConcurrent(t *testing.T) {
	w := newWorld(t, func(o *Options) {
		o.Schedule = func(string) Schedule { return Schedule{First: time.Millisecond, Max: 2 * time.Millisecond} }
	}).start()
	w.say = func(env mail.Envelope, to mail.Recipient) Attempt {
		switch n := len(w.calls); {
		case env.From.IsNull() || n%3 == 0:
			return Attempt{Outcome: Delivered}
		case n%7 == 0:
			return refusal("nobody here")
		}
		return deferred()
	}
	var g sync.WaitGroup
	for i := range 8 {
		g.Go(func() {
			for n := range 40 {
				id := w.send(envelope("a@a.test", fmt.Sprintf("u@d%d.test", n%5), fmt.Sprintf("v@d%d.test", i)))
				switch n % 4 {
				case 0:
					w.q.Hold(context.Background(), Filter{ID: id}, "x")
					w.q.List(Filter{To: "u@"})
					w.q.Release(context.Background(), Filter{ID: id})
				case 1:
					w.q.Retry(Filter{ID: id})
				case 2:
					w.j.Compact(context.Background())
				}
			}
		})
	}
	g.Wait()
	w.until("an empty queue", w.empty)
	w.until("no blob held", func() bool { return w.j.Stats().Blobs == 0 })
	if s := strings.Join(w.story(), ";"); strings.Count(s, "delivered ") == 0 || strings.Count(s, "bounced ") == 0 {
		t.Error("nothing was delivered or bounced")
	}
	w.restart()
	if s := w.q.Stats(); s.Entries != 0 {
		t.Errorf("after a restart there are %d entries of settled messages", s.Entries)
	}
}
