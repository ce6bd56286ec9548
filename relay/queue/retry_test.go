package queue

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// at tells when each call was, since the first.
func (w *world) at() (ds []time.Duration) {
	cs := w.seen()
	for _, c := range cs {
		ds = append(ds, c.at.Sub(cs[0].at))
	}
	return ds
}

// A host that is down for a while: the waits double, within their jitter, and
// what waited is delivered.
func TestBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		up := time.Now().Add(6 * time.Minute)
		w.say = func(mail.Envelope, mail.Recipient) Attempt {
			if time.Now().Before(up) {
				return deferred()
			}
			return Attempt{Outcome: Delivered}
		}
		w.send(envelope("a@a.test", "b@slow.test"))
		time.Sleep(time.Hour)
		synctest.Wait()
		if !w.empty() {
			t.Fatalf("still queued: %+v", w.q.List(Filter{}))
		}
		got := w.at()
		for i, want := range []time.Duration{0, time.Minute, 3 * time.Minute, 7 * time.Minute} {
			if i >= len(got) || got[i] < want*9/10-time.Second || got[i] > want*11/10+time.Second {
				t.Fatalf("tries at %v, want about 0, 1, 3 and 7 minutes", got)
			}
		}
		if c := w.seen()[3]; c.text != "Received: from test\r\n"+body {
			t.Errorf("after it was parked the message is %q", c.text)
		}
		if s := strings.Join(w.story(), "; "); strings.Count(s, "deferred b@slow.test") != 3 || !strings.HasSuffix(s, "delivered b@slow.test") {
			t.Errorf("trail: %s", s)
		}
		for _, e := range w.events[:3] {
			if !e.Next.After(e.Time) {
				t.Errorf("deferred without a next time: %+v", e)
			}
		}
	})
}

// A host that is down for good: a warning after four hours, a bounce after five
// days with the last try at the end, and then nothing is left.
func TestWarnAndExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		w.say = func(_ mail.Envelope, to mail.Recipient) Attempt {
			if to.Address.Domain == "slow.test" {
				return deferred()
			}
			return Attempt{Outcome: Delivered}
		}
		w.send(envelope("a@a.test", "b@slow.test"))
		time.Sleep(6 * 24 * time.Hour)
		synctest.Wait()
		var reports []call
		for _, c := range w.seen() {
			if c.env.From.IsNull() {
				reports = append(reports, c)
			}
		}
		if len(reports) != 2 || !w.empty() {
			t.Fatalf("%d reports, stats %+v", len(reports), w.q.Stats())
		}
		first := w.seen()[0].at
		contains(t, reports[0].text, "Action: delayed", "Will-Retry-Until: ", "451 4.4.1 not now")
		if d := reports[0].at.Sub(first); d < 4*time.Hour || d > 6*time.Hour {
			t.Errorf("the warning came after %s", d)
		}
		contains(t, reports[1].text, "Action: failed", "Status: 4.4.7", "451 4.4.1 not now")
		if d := reports[1].at.Sub(first); d < 120*time.Hour || d > 120*time.Hour+time.Minute {
			t.Errorf("given up after %s", d)
		}
		if s := strings.Join(w.story(), "; "); !strings.Contains(s, "expired b@slow.test") {
			t.Errorf("trail: %s", s)
		}
	})
}

// Two recipients of one message on one host stay together through deferrals.
func TestRecipientsTravelTogetherAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		w.say = func(mail.Envelope, mail.Recipient) Attempt {
			if len(w.calls) == 1 {
				return deferred()
			}
			return Attempt{Outcome: Delivered}
		}
		w.send(envelope("a@a.test", "b@slow.test", "c@slow.test"))
		time.Sleep(time.Hour)
		synctest.Wait()
		if s := short(w.seen()); s != "a@a.test>b@slow.test,c@slow.test, a@a.test>b@slow.test,c@slow.test, " {
			t.Errorf("deliveries: %s", s)
		}
	})
}

// A message that nobody could be told about is not settled: the disk is full
// when the bounce is to be kept.
func TestBounceThatCannotBeKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		var full atomic.Bool
		full.Store(true)
		w.say = func(env mail.Envelope, _ mail.Recipient) Attempt {
			if env.From.IsNull() {
				return Attempt{Outcome: Delivered}
			}
			w.disk.SetFail(func(op, _ string) error {
				if full.Load() && (op == "write" || op == "allocate" || op == "create") {
					return errNoSpace
				}
				return nil
			})
			return refusal("nobody here")
		}
		w.send(envelope("a@a.test", "b@b.test"))
		time.Sleep(30 * time.Second)
		if s := w.q.Stats(); s.Entries != 1 || s.Waiting != 1 {
			t.Fatalf("the recipient was settled without a report: %+v", s)
		}
		full.Store(false)
		time.Sleep(time.Hour)
		synctest.Wait()
		calls := w.seen()
		if last := calls[len(calls)-1]; !last.env.From.IsNull() || !w.empty() {
			t.Errorf("once there is room: %s, %+v", short(calls), w.q.Stats())
		}
	})
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q is missing in:\n%s", p, text)
		}
	}
}
