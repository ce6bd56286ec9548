package relay

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/route"
)

// scribe writes down what it is to carry.
type scribe struct{ lines []string }

func (s *scribe) Deliver(_ context.Context, env mail.Envelope, _ *mail.Message) (as []queue.Attempt) {
	for i, to := range env.To {
		s.lines = append(s.lines, fmt.Sprint(env.From.Path(), " ", to.Address))
		as = append(as, queue.Attempt{To: i, Outcome: queue.Delivered, Note: "note"})
	}
	return as
}

// Recipients who were reached by an alias see the rewritten sender, the others the
// true one; each gets an answer.
func TestForwarding(t *testing.T) {
	s := &scribe{}
	f := Forwarding(func(*route.Route) queue.Transport { return s }, func(from mail.Address, to mail.Recipient) (mail.Address, bool) {
		return mail.Address{Local: "srs=" + from.Local, Domain: to.Via}, to.Via != ""
	})(nil)
	env := mail.Envelope{From: mail.MustParseAddress("joe@x.test")}
	for i, via := range []string{"ours.test", "", "two.test", "ours.test"} {
		env.To = append(env.To, mail.Recipient{Address: mail.Address{Local: fmt.Sprint(i), Domain: "y.test"}, Via: via})
	}
	as := f.Deliver(t.Context(), env, nil)
	slices.Sort(s.lines)
	want := []string{"<joe@x.test> 1@y.test", "<srs=joe@ours.test> 0@y.test", "<srs=joe@ours.test> 3@y.test", "<srs=joe@two.test> 2@y.test"}
	if !slices.Equal(s.lines, want) {
		t.Errorf("%q", s.lines)
	}
	slices.SortFunc(as, func(a, b queue.Attempt) int { return a.To - b.To })
	for i, a := range as {
		note := "note; sent as <srs=joe@" + env.To[i].Via + ">"
		if i == 1 {
			note = "note"
		}
		if a.To != i || a.Note != note {
			t.Errorf("%+v", a)
		}
	}
	s.lines = nil
	env.To = env.To[1:2]
	if as := f.Deliver(t.Context(), env, nil); len(as) != 1 || as[0].Note != "note" || len(s.lines) != 1 {
		t.Errorf("%+v %q", as, s.lines)
	}
}
