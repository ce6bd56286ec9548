package outbound

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/state"
)

// kept is a memory in which somebody else writes, too.
type kept struct {
	state.Store
	m map[string]string
}

func (k kept) Get(_ context.Context, key string) (string, error) { return k.m[key], nil }

func (k kept) Put(_ context.Context, key, value string, _ time.Duration) error {
	k.m[key] = value
	return nil
}

// Threat: verify-cache poisoning. An answer comes of our own probe alone, is good
// for the route that it came from, and a refusal for a short time.
func TestCalloutMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Client{o: Options{Now: time.Now}}
		memory := kept{m: map[string]string{}}
		prober := func() *Prober {
			p := NewProber(c)
			p.Keep(func() state.Store { return memory })
			return p
		}
		ctx := t.Context()
		prober().put(ctx, "inside b@to.test", probed{known: true})
		prober().put(ctx, "inside x@to.test", probed{reply: mail.Refuse(50, 1, 1, "who?")})
		if len(memory.m) != 2 {
			t.Fatalf("kept: %v", memory.m)
		}
		for _, key := range []string{"greylist/x", "contact/x", "inside y@to.test", "limit/callout/inside y@to.test"} { // keys of others
			memory.m[key] = `{"known":true,"until":"2999-01-01T00:00:00Z"}`
		}
		memory.m[calloutPrefix+"inside z@to.test"] = "garbage"
		restarted := prober()
		for _, x := range []struct {
			key       string
			ok, known bool
		}{{"inside b@to.test", true, true}, {"inside x@to.test", true, false}, {"other b@to.test", false, false}, {"inside y@to.test", false, false}, {"inside z@to.test", false, false}} {
			if a, ok := restarted.get(ctx, x.key); ok != x.ok || a.known != x.known {
				t.Errorf("%s: %+v, %v", x.key, a, ok)
			}
		}
		if a, _ := restarted.get(ctx, "inside x@to.test"); a.reply.Text != "who?" || a.reply.Code() != 550 {
			t.Errorf("the refusal came back as %v", a.reply)
		}
		time.Sleep(unknownTime)
		if _, ok := prober().get(ctx, "inside x@to.test"); ok {
			t.Error("a refusal holds for too long")
		}
		if _, ok := prober().get(ctx, "inside b@to.test"); !ok {
			t.Error("a known recipient is forgotten too soon")
		}
	})
}
