package queue

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail"
)

// TestBackscatter: threats.md, "Backscatter". A report does not go to a sender whom
// the operator's choice leaves out, whatever it would have said, and the trail tells
// why.
func TestBackscatter(t *testing.T) {
	plausible := func(s mail.Standing) bool { return s != mail.Disowned }
	verified := func(s mail.Standing) bool { return s == mail.Vouched }
	for _, c := range []struct {
		why    string
		told   func(mail.Standing) bool
		s      mail.Standing
		notify mail.Notify
		to     string
		report bool
		note   string
	}{
		{"no choice: everybody is told", nil, mail.Disowned, 0, "b@b.test", true, "reported to a@a.test"},
		{"vouched for", verified, mail.Vouched, 0, "b@b.test", true, "reported to a@a.test"},
		{"nothing speaks for it", verified, mail.Unproven, 0, "b@b.test", false, "no report: nothing speaks for the sender (bounces)"},
		{"nothing speaks against it", plausible, mail.Unproven, 0, "b@b.test", true, "reported to a@a.test"},
		{"disowned", plausible, mail.Disowned, 0, "b@b.test", false, "no report: SPF says that who brought the message may not send for a.test (bounces)"},
		{"a success that was asked for", plausible, mail.Disowned, mail.NotifySuccess, "good@local.test", false, ""},
		{"a success of one that is vouched for", plausible, mail.Vouched, mail.NotifySuccess, "good@local.test", true, ""},
	} {
		t.Run(c.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, func(o *Options) { o.Told = c.told }).start()
				w.say = func(env mail.Envelope, to mail.Recipient) Attempt {
					if to.Address.Local == "b" {
						return refusal("nobody here")
					}
					return Attempt{Outcome: Delivered}
				}
				env := envelope("a@a.test", c.to)
				env.To[0].Notify, env.Standing = c.notify, c.s
				w.send(env)
				synctest.Wait()
				reports := 0
				for _, call := range w.seen() {
					if call.env.From.IsNull() {
						reports++
					}
				}
				w.mu.Lock()
				defer w.mu.Unlock()
				// The report may be told of before what it reports on.
				i := slices.IndexFunc(w.events, func(e trail.Event) bool { return e.To == c.to })
				if i < 0 || (reports == 1) != c.report || w.events[i].Note != c.note {
					t.Errorf("%d reports, event %d of %+v", reports, i, w.events)
				}
			})
		})
	}
}

// TestRequireTLSReport: threats.md, "DSN content": the report of a REQUIRETLS mail has
// no body, and asks for the same of who carries it.
func TestRequireTLSReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t).start()
		w.say = func(env mail.Envelope, to mail.Recipient) Attempt {
			if to.Address.Domain == "b.test" {
				return refusal("no REQUIRETLS")
			}
			return Attempt{Outcome: Delivered}
		}
		env := envelope("a@a.test", "b@b.test")
		env.RequireTLS, env.Ret = true, "FULL"
		w.send(env)
		synctest.Wait()
		for _, call := range w.seen() {
			if !call.env.From.IsNull() {
				continue
			}
			if !call.env.RequireTLS || strings.Contains(call.text, "Subject: hello") || strings.Contains(call.text, "message/rfc822") {
				t.Errorf("REQUIRETLS %v\n%s", call.env.RequireTLS, call.text)
			}
			return
		}
		t.Error("no report came")
	})
}
