package state

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"
)

// Fallback asks a primary Store, and while that is away a local one, or nobody.
//
// Diagnostics: "shared state is away" and "shared state is back" are logged
// once each time. In between every node counts for itself (fail open), or all
// calls say ErrAway at once (fail closed), without waiting for a timeout each.
type Fallback struct {
	primary, local Store
	failOpen       bool
	log            *slog.Logger

	mu   sync.Mutex
	away bool

	ctx  context.Context
	stop context.CancelFunc
	gone sync.WaitGroup
}

var _ Store = (*Fallback)(nil)

// askAgain is how often a primary that is away is tried.
const askAgain = time.Second

// NewFallback makes one. Its Close closes the primary; the local store, which
// may serve others too, is closed by who made it.
func NewFallback(primary, local Store, failOpen bool, log *slog.Logger) *Fallback {
	ctx, stop := context.WithCancel(context.Background())
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Fallback{primary: primary, local: local, failOpen: failOpen, log: log, ctx: ctx, stop: stop}
}

// ask runs f on the store of the moment.
func (f *Fallback) ask(do func(Store) error) error {
	if !f.isAway() {
		err := do(f.primary)
		if !errors.Is(err, ErrAway) { // a cancelled caller tells nothing of the primary
			return err
		}
		f.lost(err)
	}
	if !f.failOpen {
		return ErrAway
	}
	return do(f.local)
}

func (f *Fallback) isAway() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.away
}

// lost notes that the primary went, and has it watched.
func (f *Fallback) lost(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.away || f.ctx.Err() != nil {
		return
	}
	f.away = true
	f.log.Warn("shared state is away", "error", err, "fail_open", f.failOpen)
	f.gone.Go(f.watch)
}

// watch asks the primary until it answers.
func (f *Fallback) watch() {
	tick := time.NewTicker(askAgain)
	defer tick.Stop()
	for {
		select {
		case <-f.ctx.Done():
			return
		case <-tick.C:
		}
		if _, err := f.primary.Get(f.ctx, "anybody there?"); err == nil {
			f.mu.Lock()
			f.away = false
			f.mu.Unlock()
			f.log.Info("shared state is back")
			return
		}
	}
}

// Take is Store's.
func (f *Fallback) Take(ctx context.Context, n int64, windows ...Window) (t Taken, err error) {
	err = f.ask(func(s Store) error { t, err = s.Take(ctx, n, windows...); return err })
	return t, err
}

// Return is Store's.
func (f *Fallback) Return(ctx context.Context, n int64, windows ...Window) error {
	return f.ask(func(s Store) error { return s.Return(ctx, n, windows...) })
}

// See is Store's.
func (f *Fallback) See(ctx context.Context, key string, keep time.Duration) (seen Seen, err error) {
	err = f.ask(func(s Store) error { seen, err = s.See(ctx, key, keep); return err })
	return seen, err
}

// Get is Store's.
func (f *Fallback) Get(ctx context.Context, key string) (v string, err error) {
	err = f.ask(func(s Store) error { v, err = s.Get(ctx, key); return err })
	return v, err
}

// Put is Store's.
func (f *Fallback) Put(ctx context.Context, key, value string, keep time.Duration) error {
	return f.ask(func(s Store) error { return s.Put(ctx, key, value, keep) })
}

// List is Lister's.
func (f *Fallback) List(ctx context.Context, prefix string) (list []Kept, err error) {
	err = f.ask(func(s Store) error {
		l, ok := s.(Lister)
		if !ok {
			return errors.New("state: the keeper cannot list")
		}
		list, err = l.List(ctx, prefix)
		return err
	})
	return list, err
}

// Delete is Store's.
func (f *Fallback) Delete(ctx context.Context, key string) error {
	return f.ask(func(s Store) error { return s.Delete(ctx, key) })
}

// Close is Store's.
func (f *Fallback) Close() error {
	f.mu.Lock()
	f.stop()
	f.mu.Unlock()
	f.gone.Wait()
	return f.primary.Close()
}
