package queue

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// waitingWorld has three messages: two wait for a dead host, one is held.
func waitingWorld(t *testing.T) (w *world, first, second, held mail.ID) {
	w = newWorld(t).start()
	w.say = func(_ mail.Envelope, to mail.Recipient) Attempt {
		if to.Address.Domain == "slow.test" {
			return deferred()
		}
		return Attempt{Outcome: Delivered}
	}
	first = w.send(envelope("ann@a.test", "b@slow.test"))
	time.Sleep(10 * time.Second)
	second = w.send(envelope("", "c@slow.test", "d@good.test"))
	held, err := w.trySend(Submission{Envelope: envelope("ann@a.test", "e@good.test"), Hold: true, Why: "looks odd"})
	if err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	return w, first, second, held
}

func TestList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w, first, second, held := waitingWorld(t)
		for _, c := range []struct {
			why  string
			f    Filter
			want []mail.ID
		}{
			{"all, the oldest first", Filter{}, []mail.ID{first, second, held}},
			{"at most two", Filter{Limit: 2}, []mail.ID{first, second}},
			{"by sender, in any case", Filter{From: "ANN@"}, []mail.ID{first, held}},
			{"the null sender", Filter{From: "<>"}, []mail.ID{second}},
			{"by recipient", Filter{To: "@slow.test"}, []mail.ID{first, second}},
			{"a recipient that is settled is no longer there", Filter{To: "d@good.test"}, nil},
			{"unless asked for", Filter{To: "d@good.test", Settle: true}, []mail.ID{second}},
			{"by state", Filter{State: func(s State) bool { return s == Held }}, []mail.ID{held}},
			{"by age", Filter{Older: 5 * time.Second}, []mail.ID{first}},
			{"by the last reply", Filter{Reply: "4.4.1"}, []mail.ID{first, second}},
			{"by route", Filter{Route: "mx"}, []mail.ID{first, second}},
			{"by ID", Filter{ID: second}, []mail.ID{second}},
		} {
			var got []string
			for _, in := range w.q.List(c.f) {
				got = append(got, string(in.Envelope.ID))
			}
			var want []string
			for _, id := range c.want {
				want = append(want, string(id))
			}
			if strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("%s: %v, want %v", c.why, got, want)
			}
		}
		in := w.q.Show(second)[0]
		if in.Size != int64(len(body)) || len(in.Recipients) != 2 || in.Recipients[1].State != Done {
			t.Errorf("shown: %+v", in)
		}
		s := w.q.Stats()
		if s != (Stats{Entries: 3, Waiting: 2, Held: 1, Oldest: 10 * time.Second}) {
			t.Errorf("stats %+v", s)
		}
	})
}

// What a person does is done, told in the trail, and there after a restart.
func TestHoldReleaseRemoveRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		w, first, second, held := waitingWorld(t)
		must := func(n int, err error) {
			t.Helper()
			if n != 1 || err != nil {
				t.Errorf("%d recipients, error %v", n, err)
			}
		}
		must(w.q.Hold(ctx, Filter{ID: first}, "ask Bob"))
		must(w.q.Remove(ctx, Filter{ID: second}, "spam"))
		must(w.q.Release(ctx, Filter{ID: held}))
		if n, err := w.q.Remove(ctx, Filter{ID: "4bQz7K2MwXc9T"}, ""); n != 0 || err != nil {
			t.Errorf("an unknown ID: %d, %v", n, err)
		}
		synctest.Wait()
		if s := short(w.seen()); !strings.HasSuffix(s, "ann@a.test>e@good.test, ") {
			t.Errorf("the released one: %s", s)
		}
		w.restart().start()
		tries := len(w.seen())
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		in := w.q.List(Filter{})
		if len(in) != 1 || in[0].Envelope.ID != first || in[0].Recipients[0].Reply != "ask Bob" || len(w.seen()) != tries {
			t.Fatalf("a day after the restart: %+v, %d tries", in, len(w.seen())-tries)
		}
		must(w.q.Release(ctx, Filter{ID: first}))
		synctest.Wait()
		if len(w.seen()) != tries+2 { // the try, and the report of the delay
			t.Errorf("deliveries after release: %s", short(w.seen()[tries:]))
		}
		w.answer(nil)
		if n := w.q.Retry(Filter{ID: first}); n != 1 {
			t.Errorf("Retry touched %d", n)
		}
		synctest.Wait()
		if !w.empty() {
			t.Errorf("after Retry: %+v", w.q.Stats())
		}
		if s := strings.Join(w.story(), "; "); !strings.Contains(s, "held b@slow.test") || !strings.Contains(s, "removed c@slow.test") || !strings.Contains(s, "released e@good.test") {
			t.Errorf("trail: %s", s)
		}
	})
}

// A recipient in a line is held or removed before its turn.
func TestHoldInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, func(o *Options) { o.PerHop = 1 }).start()
		release := w.hang("stuck.test")
		w.send(envelope("a@a.test", "first@stuck.test"))
		synctest.Wait()
		id := w.send(envelope("a@a.test", "second@stuck.test"))
		synctest.Wait()
		if s := w.q.Show(id)[0].Recipients[0].State; s != Ready {
			t.Fatalf("the second is %s", s)
		}
		if n, err := w.q.Hold(context.Background(), Filter{ID: id}, "wait"); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		release()
		synctest.Wait()
		if s := short(w.seen()); s != "a@a.test>first@stuck.test, " {
			t.Errorf("deliveries: %s", s)
		}
	})
}

// A filter that names a recipient touches no other of the same message.
func TestFilterTouchesOnlyWhatItChose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		w.answer(func(mail.Envelope, mail.Recipient) Attempt { return deferred() })
		id := w.send(envelope("a@a.test", "b@slow.test", "c@slow.test"))
		w.send(envelope("a@a.test", "b@slow.test"))
		synctest.Wait()
		if n, err := w.q.Remove(context.Background(), Filter{To: "b@"}, "wrong address"); n != 2 || err != nil {
			t.Fatalf("removed %d, error %v", n, err)
		}
		in := w.q.List(Filter{})
		if len(in) != 1 || in[0].Envelope.ID != id || len(in[0].Recipients) != 1 || in[0].Recipients[0].Index != 1 {
			t.Errorf("left: %+v", in)
		}
	})
}

// More than fits one commit.
func TestActOnMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		for i := range deedLen + 50 {
			w.send(envelope("a@a.test", fmt.Sprintf("u%d@b.test", i)))
		}
		w.restart() // so that they wait
		if n, err := w.q.Hold(context.Background(), Filter{}, "all"); n != deedLen+50 || err != nil {
			t.Fatalf("held %d, error %v", n, err)
		}
		w.restart().start()
		if n, err := w.q.Remove(context.Background(), Filter{Limit: deedLen + 1}, "x"); n != deedLen+1 || err != nil {
			t.Fatalf("removed %d, error %v", n, err)
		}
		synctest.Wait()
		if s := w.q.Stats(); s.Entries != 49 || s.Held != 49 || len(w.seen()) != 0 {
			t.Errorf("stats %+v, %d deliveries", s, len(w.seen()))
		}
	})
}
