package queue

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail"
)

// What is reported to whom: the table of RFC 3461 section 4.1.
func TestReports(t *testing.T) {
	hard := func(mail.Envelope, mail.Recipient) Attempt { return refusal("nobody here") }
	good := func(mail.Envelope, mail.Recipient) Attempt { return Attempt{Outcome: Delivered} }
	passed := func(mail.Envelope, mail.Recipient) Attempt { return Attempt{Outcome: Delivered, DSN: true} }
	for _, c := range []struct {
		why, from, to string
		notify        mail.Notify
		say           func(mail.Envelope, mail.Recipient) Attempt
		want          string // of the Action field, "" for no report
	}{
		{"a failure, nothing said about reports", "a@a.test", "b@b.test", 0, hard, "failed"},
		{"a failure, asked for", "a@a.test", "b@b.test", mail.NotifyFailure, hard, "failed"},
		{"a failure, success only asked for", "a@a.test", "b@b.test", mail.NotifySuccess, hard, ""},
		{"a failure, NEVER", "a@a.test", "b@b.test", mail.NotifyNever, hard, ""},
		{"a failure of a report: it would go on for ever", "", "b@b.test", 0, hard, ""},
		{"a success, nothing said", "a@a.test", "b@b.test", 0, good, ""},
		{"a success elsewhere, asked for", "a@a.test", "b@b.test", mail.NotifySuccess, good, "relayed"},
		{"a success elsewhere, which reports by itself", "a@a.test", "b@b.test", mail.NotifySuccess, passed, ""},
		{"a success in our store, asked for", "a@a.test", "b@local.test", mail.NotifySuccess, good, "delivered"},
		{"no route at all", "a@a.test", "b@nowhere.test", 0, good, "failed"},
	} {
		t.Run(c.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t).start()
				w.say = func(env mail.Envelope, to mail.Recipient) Attempt {
					if to.Address.Domain == "a.test" {
						return Attempt{Outcome: Delivered}
					}
					return c.say(env, to)
				}
				env := envelope(c.from, c.to)
				env.To[0].Notify = c.notify
				w.send(env)
				synctest.Wait()
				checkReport(t, w, c.want)
			})
		})
	}
}

func checkReport(t *testing.T, w *world, want string) {
	t.Helper()
	var got []string
	for _, call := range w.seen() {
		if call.env.From.IsNull() && call.env.To[0].Address.Domain == "a.test" {
			_, rest, _ := strings.Cut(call.text, "\r\nAction: ")
			action, _, _ := strings.Cut(rest, "\r\n")
			got = append(got, action)
		}
	}
	if s := strings.Join(got, " "); s != want {
		t.Errorf("reports %q, want %q; trail: %s", s, want, strings.Join(w.story(), "; "))
	}
	if !w.empty() {
		t.Errorf("left in the queue: %+v", w.q.List(Filter{}))
	}
}

// Two recipients that fail in one attempt share a report; what the others came
// to is not in it.
func TestOneReportForTwoFailures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		w.say = func(_ mail.Envelope, to mail.Recipient) Attempt {
			if to.Address.Local == "good" || to.Address.Domain == "a.test" {
				return Attempt{Outcome: Delivered}
			}
			return refusal("no " + to.Address.Local)
		}
		w.send(envelope("a@a.test", "x@b.test", "good@b.test", "y@b.test"))
		synctest.Wait()
		calls := w.seen()
		if len(calls) != 2 || !w.empty() {
			t.Fatalf("deliveries: %s", short(calls))
		}
		report := calls[1].text
		contains(t, report, "Final-Recipient: rfc822; x@b.test", "Final-Recipient: rfc822; y@b.test",
			"Diagnostic-Code: smtp; 550 5.1.1 no x", "Reporting-MTA: dns; mx.example.com", "Subject: hello")
		if strings.Contains(report, "good@b.test") {
			t.Error("the report speaks of a recipient that got the message")
		}
		for _, e := range w.events {
			if e.What == "bounced" && e.Note != "reported to a@a.test" {
				t.Errorf("the trail says %+v", e)
			}
		}
	})
}

// A failed report is not reported, but it leaves a trace.
func TestDoubleBounceIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		w.say = func(mail.Envelope, mail.Recipient) Attempt { return refusal("nobody here") }
		w.send(envelope("a@a.test", "b@b.test"))
		synctest.Wait()
		if n := len(w.seen()); n != 2 || !w.empty() {
			t.Fatalf("%d deliveries, stats %+v", n, w.q.Stats())
		}
		if !slices.ContainsFunc(w.events, func(e trail.Event) bool {
			return e.What == "bounced" && e.To == "a@a.test" && e.Note == "no report: the sender is null"
		}) {
			t.Errorf("the trail says %+v", w.events)
		}
	})
}
