package queue

import (
	"context"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// judgeFunc is a Judge.
type judgeFunc func(to mail.Recipient, d pipeline.Delivery) pipeline.Verdict

func (f judgeFunc) Judge(_ context.Context, env mail.Envelope, to int, _ int64, d pipeline.Delivery) pipeline.Verdict {
	v := f(env.To[to], d)
	v.To = to
	return v
}

func TestJudgeIsObeyed(t *testing.T) {
	for _, c := range []struct {
		why     string
		verdict pipeline.Verdict
		trail   string // the first event
		calls   string
		left    State // 0 with none left
	}{
		{"nothing against it", pipeline.Verdict{}, "delivered b@b.test", "a@a.test>b@b.test, ", 0},
		{"accept", pipeline.Verdict{Action: pipeline.Accept}, "delivered b@b.test", "a@a.test>b@b.test, ", 0},
		{"discard", pipeline.Verdict{Action: pipeline.Discard}, "discarded b@b.test", "", 0},
		{"reject: the sender is told", pipeline.Verdict{Action: pipeline.Reject, Reply: mail.Refuse(50, 7, 1, "not there")}, "bounced b@b.test", ">a@a.test, ", 0},
		{"hold", pipeline.Verdict{Action: pipeline.Hold, Rule: "outbound.deliver.hold.x"}, "held b@b.test", "", Held},
		{"defer", pipeline.Verdict{Action: pipeline.Defer, Reply: mail.Defer(51, 7, 1, "at night")}, "deferred b@b.test", "", Waiting},
	} {
		t.Run(c.why, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, func(o *Options) {
					o.Judge = judgeFunc(func(to mail.Recipient, _ pipeline.Delivery) pipeline.Verdict {
						if to.Address.Domain == "b.test" {
							return c.verdict
						}
						return pipeline.Verdict{}
					})
				}).start()
				id := w.send(envelope("a@a.test", "b@b.test"))
				synctest.Wait()
				if got := w.story()[0]; got != c.trail || short(w.seen()) != c.calls {
					t.Errorf("trail %q, deliveries %q", got, short(w.seen()))
				}
				checkLeft(t, w.q.Show(id), c.left, c.verdict)
			})
		})
	}
}

func checkLeft(t *testing.T, in []Info, want State, v pipeline.Verdict) {
	t.Helper()
	if v.Action != pipeline.Hold && v.Action != pipeline.Defer {
		if len(in) != 0 {
			t.Errorf("left: %+v", in)
		}
		return
	}
	if len(in) != 1 || in[0].Recipients[0].State != want {
		t.Fatalf("left: %+v", in)
	}
	if r := in[0].Recipients[0].Reply; !strings.Contains(r, v.Rule) || !strings.Contains(r, v.Reply.Text) {
		t.Errorf("the operator reads %q", r)
	}
}

// The policy sends one of two recipients elsewhere, and tags it: it is asked
// once for each, and the two go different ways.
func TestJudgeRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		w := newWorld(t, func(o *Options) {
			o.Judge = judgeFunc(func(to mail.Recipient, _ pipeline.Delivery) pipeline.Verdict {
				asked++
				if to.Address.Local == "b" {
					return pipeline.Verdict{Ledger: pipeline.Ledger{Route: "archive", Tags: []string{"sent-away"}}}
				}
				return pipeline.Verdict{}
			})
		}).start()
		w.send(envelope("a@a.test", "b@b.test", "c@b.test"))
		synctest.Wait()
		if asked != 2 || len(w.seen()) != 2 {
			t.Fatalf("asked %d times, deliveries %s", asked, short(w.seen()))
		}
		for _, c := range w.seen() {
			r := c.env.To[0]
			want, tags := "", []string(nil)
			if r.Address.Local == "b" {
				want, tags = "archive", []string{"sent-away"}
			}
			if r.Route != want || !reflect.DeepEqual(r.Tags, tags) {
				t.Errorf("%s went by %q with tags %v", r.Address, r.Route, r.Tags)
			}
		}
	})
}

// The policy is told how it has gone so far.
func TestJudgeKnowsTheAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		w := newWorld(t, func(o *Options) {
			o.Judge = judgeFunc(func(_ mail.Recipient, d pipeline.Delivery) pipeline.Verdict {
				got = append(got, fmt.Sprint(d.Attempt, " ", d.LastCode, " ", d.Host, " ", d.Age > 0))
				return pipeline.Verdict{}
			})
		}).start()
		w.say = func(mail.Envelope, mail.Recipient) Attempt {
			if len(w.calls) < 2 {
				return deferred()
			}
			return Attempt{Outcome: Delivered}
		}
		w.send(envelope("a@a.test", "b@b.test"))
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		want := []string{"1 0  false", "2 451 mx1.slow.test[192.0.2.1]:25 true"}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("asked with %q, want %q", got, want)
		}
	})
}
