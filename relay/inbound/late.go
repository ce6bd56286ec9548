package inbound

import (
	"context"
	"sync"
	"time"

	"github.com/forepost/forepost/relay/dns"
)

// lateContext is a context that is made when somebody asks for what makes it one:
// to wait for its end, or for a value. Most messages come and go without that, and
// a context that can be cancelled has to be entered into its parent and taken out
// again.
type lateContext struct {
	parent    context.Context
	questions int           // that may be asked of the DNS under it; 0: those of the parent
	limit     time.Duration // from when it is made; 0: none

	mu   sync.Mutex
	ctx  context.Context // nil: not made yet
	stop context.CancelFunc
	over bool // it was cancelled
}

// lasting has the values of the context and does not end.
func (c *lateContext) lasting() context.Context { return (*lasting)(c) }

type lasting lateContext

func (l *lasting) Deadline() (time.Time, bool) { return time.Time{}, false }
func (l *lasting) Done() <-chan struct{}       { return nil }
func (l *lasting) Err() error                  { return nil }
func (l *lasting) Value(key any) any           { return (*lateContext)(l).Value(key) }

// whole makes the context, if that was not done.
func (c *lateContext) whole() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx != nil {
		return c.ctx
	}
	parent := c.parent
	if c.questions > 0 {
		parent = dns.WithBudget(parent, c.questions)
	}
	ctx, stop := context.WithCancel(parent)
	c.ctx, c.stop = ctx, stop
	switch {
	case c.over:
		stop()
	case c.limit > 0:
		alarm := time.AfterFunc(c.limit, stop)
		c.stop = func() { alarm.Stop(); stop() }
	}
	return ctx
}

// cancel ends it.
func (c *lateContext) cancel() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	if c.stop != nil {
		c.stop()
	}
}

// Deadline implements context.Context.
func (c *lateContext) Deadline() (time.Time, bool) { return c.parent.Deadline() }

// Done implements context.Context.
func (c *lateContext) Done() <-chan struct{} { return c.whole().Done() }

// Value implements context.Context.
func (c *lateContext) Value(key any) any { return c.whole().Value(key) }

// Err implements context.Context.
func (c *lateContext) Err() error {
	c.mu.Lock()
	ctx, over := c.ctx, c.over
	c.mu.Unlock()
	switch {
	case ctx != nil:
		return ctx.Err()
	case over:
		return context.Canceled
	}
	return c.parent.Err()
}
