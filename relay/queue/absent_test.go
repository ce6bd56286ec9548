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

// unreachable is what a transport says where nobody answers.
func unreachable() Attempt {
	return Attempt{Outcome: Soft, Reply: mail.Defer(51, 4, 1, "no answer: i/o timeout"), Host: "mx1.dead.test[192.0.2.1]:25"}
}

// A hundred messages for a host that is down cost an attempt now and then, not a
// hundred; each tells why it waits, also after a restart; and when the host is back
// they all go within minutes, and none waits longer than its time.
func TestAbsentHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		w.answer(func(_ mail.Envelope, r mail.Recipient) Attempt {
			if r.Address.Domain == "dead.test" {
				return unreachable()
			}
			return Attempt{Outcome: Delivered, Said: "250 ok"}
		})
		for i := range 100 {
			w.send(envelope("ann@a.test", fmt.Sprintf("b%d@dead.test", i)))
			synctest.Wait()
		}
		time.Sleep(2 * time.Hour)
		if n := len(w.seen()); n < 12 || n > 40 {
			t.Errorf("%d attempts in two hours", n)
		}
		w.restart().start()
		synctest.Wait()
		for _, in := range w.q.List(Filter{}) {
			if r := in.Recipients[0]; !strings.Contains(r.Reply, "no answer") || r.State != Waiting {
				t.Errorf("why it waits: %+v", r)
			}
		}
		before := len(w.seen())
		w.send(envelope("ann@a.test", "bob@good.test"))
		synctest.Wait()
		if n := len(w.seen()) - before; n != 1 {
			t.Errorf("%d attempts for a host that is there", n)
		}
		w.answer(nil)
		time.Sleep(30 * time.Minute)
		synctest.Wait()
		if !w.empty() {
			t.Errorf("half an hour after the host came back: %+v", w.q.Stats())
		}
	})
}

// However many wait for a host, they go as soon as it is met again, and not each at
// its own time.
func TestAbsentMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		w.answer(func(mail.Envelope, mail.Recipient) Attempt { return unreachable() })
		const many = 3*mostOff + 7
		for i := range many {
			w.send(envelope("ann@a.test", fmt.Sprintf("b%d@dead.test", i)))
		}
		time.Sleep(time.Hour)
		w.answer(nil)
		before := len(w.seen())
		for range 15 * 60 {
			time.Sleep(time.Second)
			if synctest.Wait(); len(w.seen()) > before {
				break
			}
		}
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if n := len(w.seen()) - before; n != many || !w.empty() {
			t.Errorf("5 s after somebody was met: %d of %d attempts, %+v", n, many, w.q.Stats())
		}
	})
}

// What is never tried itself is warned of, expires and is reported all the same.
func TestAbsentExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		w.answer(func(env mail.Envelope, r mail.Recipient) Attempt {
			if r.Address.Domain == "dead.test" {
				return unreachable()
			}
			return Attempt{Outcome: Delivered, Said: "250 ok"}
		})
		for i := range 10 {
			w.send(envelope("ann@a.test", fmt.Sprintf("b%d@dead.test", i)))
			synctest.Wait()
		}
		time.Sleep(6 * 24 * time.Hour)
		synctest.Wait()
		delayed, failed := 0, 0
		for _, c := range w.seen() {
			if c.env.From.IsNull() && c.env.To[0].Address.Domain == "a.test" {
				delayed += strings.Count(c.text, "Action: delayed")
				failed += strings.Count(c.text, "Action: failed")
				if !strings.Contains(c.text, "no answer: i/o timeout") {
					t.Errorf("a report without the reason:\n%s", c.text)
				}
			}
		}
		if delayed != 10 || failed != 10 || !w.empty() {
			t.Errorf("%d delays and %d failures were reported of 10; %+v", delayed, failed, w.q.Stats())
		}
	})
}

// Only what tells that nobody is there keeps the others back.
func TestAbsentOrNot(t *testing.T) {
	for _, c := range []struct {
		a    Attempt
		want bool
	}{
		{unreachable(), true},
		{Attempt{Outcome: Soft, Reply: mail.Defer(50, 4, 3, "DNS")}, true},
		{Attempt{Outcome: Soft, Reply: mail.Defer(21, 3, 2, "closing"), Remote: true}, true},
		{Attempt{Outcome: Soft, Reply: mail.Defer(51, 4, 1, "its next host"), Remote: true}, false},
		{Attempt{Outcome: Soft, Reply: mail.Defer(51, 4, 2, "broke off")}, false}, // perhaps this one message is too large for the line
		{Attempt{Outcome: Soft, Reply: mail.Defer(52, 2, 2, "mailbox full")}, false},
		{Attempt{Outcome: Hard, Reply: mail.Refuse(50, 4, 4, "null MX")}, false},
		{Attempt{Outcome: Delivered}, false},
	} {
		if got := (&result{Attempt: c.a}).absent(); got != c.want {
			t.Errorf("%+v: %v", c.a, got)
		}
	}
}

// A paused route keeps its mail, says so, goes on being paused after a restart, and
// lets all go at once when it is resumed. Other routes know nothing of it.
func TestPauseRoute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		w := newWorld(t).start()
		err := w.q.PauseRoute(ctx, Pause{Route: "mx", Why: "the line is cut"})
		if err != nil {
			t.Fatal(err)
		}
		w.send(envelope("ann@a.test", "b@good.test", "c@good.test"))
		time.Sleep(time.Hour)
		for _, restarted := range []bool{false, true} {
			if restarted {
				if _, err := w.j.Compact(ctx); err != nil {
					t.Fatal(err)
				}
				w.restart().start()
				synctest.Wait()
			}
			in := w.q.List(Filter{})
			if len(w.seen()) != 0 || len(in) != 1 || in[0].Recipients[0].Reply != "451 4.3.2 route mx is paused: the line is cut" {
				t.Fatalf("paused, restarted %v: %d deliveries, %+v", restarted, len(w.seen()), in)
			}
		}
		if p := w.q.Paused(); len(p) != 1 || p[0] != (Pause{Route: "mx", Why: "the line is cut"}) {
			t.Errorf("%+v", p)
		}
		if was, err := w.q.ResumeRoute(ctx, "other"); was || err != nil {
			t.Errorf("a route that is not paused: %v, %v", was, err)
		}
		if was, err := w.q.ResumeRoute(ctx, "mx"); !was || err != nil {
			t.Errorf("%v, %v", was, err)
		}
		synctest.Wait()
		if !w.empty() || len(w.q.Paused()) != 0 {
			t.Errorf("after resuming: %+v", w.q.Stats())
		}
		w.restart().start()
		if len(w.q.Paused()) != 0 {
			t.Error("paused again after a restart")
		}
	})
}

// A pause with an end ends by itself.
func TestPauseEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		if err := w.q.PauseRoute(t.Context(), Pause{Route: "mx", Until: time.Now().Add(2 * time.Hour)}); err != nil {
			t.Fatal(err)
		}
		w.send(envelope("ann@a.test", "b@good.test"))
		time.Sleep(2*time.Hour - time.Second)
		if synctest.Wait(); len(w.seen()) != 0 {
			t.Error("delivered while paused")
		}
		time.Sleep(longestPause)
		if synctest.Wait(); !w.empty() {
			t.Errorf("after its end: %+v", w.q.Stats())
		}
	})
}

// What is to bounce does so at once, with a report that has the reply; if the power
// goes before that, then after the restart. Nobody is asked about it.
func TestBounce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		w, first, _, held := waitingWorld(t)
		tries := len(w.seen())
		n, err := w.q.Bounce(ctx, Filter{ID: held}, mail.Refuse(54, 7, 0, "returned by the postmaster: no such project"))
		if n != 1 || err != nil {
			t.Fatalf("%d, %v", n, err)
		}
		if n, err := w.q.Bounce(ctx, Filter{ID: "4bQz7K2MwXc9T"}, mail.Refuse(54, 7, 0, "x")); n != 0 || err != nil {
			t.Errorf("an unknown ID: %d, %v", n, err)
		}
		synctest.Wait()
		calls := w.seen()[tries:]
		if len(calls) != 1 || !calls[0].env.From.IsNull() {
			t.Fatalf("deliveries: %s", short(calls))
		}
		for _, part := range []string{"Action: failed", "Status: 5.7.0", "no such project"} {
			if !strings.Contains(calls[0].text, part) {
				t.Errorf("the report has no %q:\n%s", part, calls[0].text)
			}
		}
		if len(w.q.Show(held)) != 0 || len(w.q.Show(first)) != 1 {
			t.Error("not only what was chosen is gone")
		}
		if s := strings.Join(w.storyOf(held), "; "); !strings.Contains(s, "bounce ordered") || !strings.Contains(s, "bounced") {
			t.Errorf("trail: %s", s)
		}
	})
}

func TestSubmissionBounces(t *testing.T) {
	for _, crash := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			if !crash {
				w.start()
			}
			_, err := w.trySend(Submission{Envelope: envelope("ann@a.test", "b@good.test")},
				Submission{Envelope: envelope("ann@a.test", "c@good.test"), Refused: map[int]Refusal{0: {Reply: mail.Refuse(50, 7, 1, "programs are not taken")}}})
			if err != nil {
				t.Fatal(err)
			}
			if crash {
				w.restart().start()
			}
			synctest.Wait()
			var to []string
			for _, c := range w.seen() {
				to = append(to, c.env.To[0].Address.String())
				if c.env.From.IsNull() && (!strings.Contains(c.text, "programs are not taken") || !strings.Contains(c.text, "c@good.test")) {
					t.Errorf("the report:\n%s", c.text)
				}
			}
			if len(to) != 2 || strings.Contains(strings.Join(to, " "), "c@good.test") || !w.empty() {
				t.Errorf("crash %v: delivered to %s, %+v", crash, to, w.q.Stats())
			}
		})
	}
}

// What is put off before it was ever tried does not keep its added fields in memory,
// where so many do that new messages would find it crowded.
func TestAbsentParks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		w.answer(func(mail.Envelope, mail.Recipient) Attempt { return unreachable() })
		dressed := func() int {
			w.q.mu.Lock()
			defer w.q.mu.Unlock()
			return w.q.dressed
		}
		const others, many = crowded / 2, 300
		w.q.mu.Lock()
		w.q.dressed += others // as if they were there
		w.q.mu.Unlock()
		for i := range many {
			d, _ := w.q.Draft(w.o.IDs.Session().Transaction(0))
			d.Write([]byte(body))
			s := Submission{Envelope: envelope("a@a.test", fmt.Sprintf("b%d@dead.test", i)), Prefix: []mail.Field{{Name: "X", Value: "kept"}}}
			if err := d.Commit(t.Context(), s); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := dressed() - others; n > many/10 {
			t.Errorf("%d of %d still dressed", n, many)
		}
		w.restart().start()
		w.answer(nil)
		time.Sleep(time.Hour)
		synctest.Wait()
		without := 0
		for _, c := range w.seen() {
			if !strings.HasPrefix(c.text, "X: kept\r\n") {
				without++
			}
		}
		if without > 0 || !w.empty() {
			t.Errorf("%d went without, %+v", without, w.q.Stats())
		}
	})
}
