package queue

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// rounds lets full rounds of jobs of a line come to met, and tells how many were
// under way at once in the last.
func rounds(ls *lines, n int, met met) (width int) {
	for range n {
		for ls.of("x").length < 100 {
			ls.put("x", 0, &job{})
		}
		jobs, _ := takeAll(ls)
		width = len(jobs)
		for _, j := range jobs {
			j.met, j.last = met, noLast
			ls.done(j, 1, 2)
		}
	}
	return width
}

// Concurrency doubles a round up to the limit, is halved once for a round of
// complaints however many there are, and grows by one a round from there.
func TestWindow(t *testing.T) {
	ls := newLines(200, 64)
	for i, want := range []int{5, 10, 20, 40, 64, 64} {
		if n := rounds(ls, 1, somebody); n != want {
			t.Fatalf("round %d: %d at once, want %d", i, n, want)
		}
	}
	rounds(ls, 1, busy)
	if n := rounds(ls, 1, somebody); n != 32 {
		t.Errorf("after a round of complaints: %d at once, want 32", n)
	}
	if n := rounds(ls, 1, somebody); n != 33 {
		t.Errorf("after a good round: %d at once, want 33", n)
	}
	for range 5 {
		rounds(ls, 1, busy)
	}
	l := ls.of("x")
	if n := rounds(ls, 1, busy); n != 1 || l.class != failing || l.until != 2 {
		t.Errorf("one at a time is too much: %d at once, %+v", n, l)
	}
	if rounds(ls, 1, somebody); l.class != proven {
		t.Error("it answers again, and that is not seen")
	}
}

// A window that is not used up says nothing about more.
func TestWindowIdle(t *testing.T) {
	ls := newLines(200, 20)
	for range 100 {
		ls.put("x", 0, &job{})
		j := ls.take()
		j.met = somebody
		ls.done(j, 1, 0)
	}
	if n := ls.of("x").window; n != firstWindow {
		t.Errorf("one at a time a hundred times makes a window of %d", n)
	}
}

// One connection of many that is not answered is a host with much to do, not a dead
// one: others were answered meanwhile.
func TestOneOfManyUnanswered(t *testing.T) {
	ls := newLines(200, 20)
	rounds(ls, 3, somebody)
	for range 20 {
		ls.put("x", 0, &job{})
	}
	jobs, _ := takeAll(ls)
	for i, j := range jobs {
		j.met, j.last = somebody, noLast
		if i == len(jobs)-1 {
			j.met = nobody
		}
		ls.done(j, 1, 2)
	}
	if l := ls.of("x"); l.class != proven || l.until != 0 || l.window >= 20 {
		t.Errorf("%d of 20 were answered: %+v", len(jobs)-1, l)
	}
}

func TestClassesOfDeferral(t *testing.T) {
	for _, c := range []struct {
		r    mail.Reply
		want string
	}{
		{mail.Defer(21, 7, 0, "[TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume"), "many"},
		{mail.Defer(21, 3, 2, "Service shutting down"), "many"},
		{mail.Defer(50, 7, 0, "Too many concurrent connections from your address"), "many"},
		{mail.Defer(50, 7, 28, "Our system has detected an unusual rate of mail"), "many"},
		{mail.Defer(51, 4, 5, "System is congested"), "many"},
		{mail.Defer(52, 5, 3, "Too many recipients"), ""},
		{mail.Defer(52, 2, 2, "Mailbox full: too many messages"), ""},
		{mail.Defer(50, 2, 0, "<b@b.test>: Recipient address rejected: Greylisted, see http://help.test"), "grey"},
		{mail.Defer(51, 7, 1, "Please try again later"), "grey"},
		{mail.Defer(51, 7, 1, "Delivery not authorised"), ""},
		{mail.Defer(50, 7, 0, "You must wait 300 seconds"), "grey"},
		{mail.Defer(51, 3, 0, "Local error in processing, try again"), ""},
		{mail.Refuse(50, 7, 1, "Greylisted for ever"), ""},
	} {
		got := ""
		if tooMany(c.r) {
			got = "many"
		}
		if greylisted(c.r) {
			got += "grey"
		}
		if got != c.want {
			t.Errorf("%v: %q, want %q", c.r, got, c.want)
		}
	}
}

// A server that greylists is asked again soon, however often the message was
// deferred before for other reasons; one that names a time, after that.
func TestGreylistComesBackSoon(t *testing.T) {
	s := Schedule{}.withDefaults()
	for _, c := range []struct {
		text string
		n    int
		want time.Duration
	}{
		{"Greylisted, come back", 1, time.Minute},
		{"Greylisted, come back", 9, greyWait},
		{"Greylisted for 300 seconds", 1, 305 * time.Second},
		{"Greylisting in action, please come back in 00:04:30", 1, 275 * time.Second},
		{"Greylisted, please try again in 7 minutes", 9, 7*time.Minute + 5*time.Second},
		{"greylisted: retry in 5 hours", 9, greyWait},
		{"Local error", 9, time.Hour},
	} {
		if got, _ := s.waitAfter(c.n, mail.Defer(51, 7, 1, c.text), true); got != c.want {
			t.Errorf("%q after attempt %d: %s, want %s", c.text, c.n, got, c.want)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		w.answer(func(mail.Envelope, mail.Recipient) Attempt {
			return Attempt{Outcome: Soft, Reply: mail.Defer(50, 7, 1, "Greylisted for 120 seconds"), Remote: true}
		})
		w.send(envelope("ann@a.test", "b@good.test"))
		synctest.Wait()
		w.answer(nil)
		time.Sleep(124 * time.Second)
		if synctest.Wait(); !w.empty() {
			if time.Sleep(20 * time.Second); len(w.seen()) < 2 {
				t.Errorf("not tried again after the time that the server named: %+v", w.q.List(Filter{}))
			}
		}
	})
}
