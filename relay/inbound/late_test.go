package inbound

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/dns"
)

// TestLateContext: it is a context like any other, whether somebody asked for it
// before its end or behind it.
func TestLateContext(t *testing.T) {
	type key struct{}
	parent, stop := context.WithCancel(context.WithValue(t.Context(), key{}, "a value"))
	asked, unasked, other := &lateContext{parent: parent}, &lateContext{parent: parent}, &lateContext{parent: parent}
	child, done := context.WithCancel(asked)
	defer done()
	if asked.Err() != nil || unasked.Err() != nil || child.Err() != nil || asked.Value(key{}) != "a value" {
		t.Error("it ended at once, or has lost the values of its parent")
	}
	asked.cancel()
	unasked.cancel()
	<-asked.Done()
	<-child.Done()
	if unasked.Err() != context.Canceled || unasked.ctx != nil {
		t.Errorf("who did not wait hears %v, and it was made for that: %v", unasked.Err(), unasked.ctx != nil)
	}
	<-unasked.Done()
	if other.Err() != nil {
		t.Error("another one ended")
	}
	stop()
	if other.Err() != context.Canceled {
		t.Error("it does not end with its parent")
	}
	<-other.Done()
}

// TestLateContextLasts: what outlives a transaction has its values and no end.
func TestLateContextLasts(t *testing.T) {
	c := &lateContext{parent: t.Context(), questions: 3}
	l := c.lasting()
	c.cancel()
	child, stop := context.WithCancel(l)
	defer stop()
	if _, ok := l.Deadline(); ok || l.Err() != nil || child.Err() != nil || l.Done() != nil {
		t.Error("it ended")
	}
	if asksOf(l) != 3 {
		t.Errorf("%d questions may be asked behind the transaction, want 3", asksOf(l))
	}
}

// TestLateContextLimits: what has a limit ends at it, and what has questions has
// them once, however it is asked.
func TestLateContextLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &lateContext{parent: t.Context(), limit: time.Minute}
		begin := time.Now()
		<-c.Done()
		if d := time.Since(begin); d != time.Minute || c.Err() != context.Canceled {
			t.Errorf("it ended after %v with %v", d, c.Err())
		}
	})
	c := &lateContext{parent: t.Context(), questions: 5}
	defer c.cancel()
	if n := asksOf(c); n != 5 {
		t.Errorf("%d questions, want 5", n)
	}
	if n := asksOf(c); n != 0 {
		t.Errorf("%d questions more", n)
	}
}

// asksOf is how many questions of the DNS are left under a context.
func asksOf(ctx context.Context) (n int) {
	for ; n < 100; n++ {
		var e *dns.Error
		if _, err := dns.LookupTXT(ctx, emptyZone, "x.test"); errors.As(err, &e) && e.Kind == dns.Budget {
			return n
		}
	}
	return n
}

var emptyZone, _ = dns.ZoneOf(nil)
