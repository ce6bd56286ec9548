package ratelimit

import (
	"context"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/forepost/forepost/relay/state"
)

// maxLocal is how many windows one instance keeps: about 20 MB. The one that
// was not used for longest goes first, so that a flood of keys costs memory to
// nobody; a key that comes back after that begins anew.
const maxLocal = 100_000

// local counts in this process with limiters of golang.org/x/time: nothing
// survives a restart and other nodes do not see it.
type local struct {
	now func() time.Time

	mu sync.Mutex // makes a Take of several windows one step
	m  *lru.Cache[string, *rate.Limiter]
}

func newLocal(now func() time.Time) *local {
	m, err := lru.New[string, *rate.Limiter](maxLocal)
	if err != nil {
		panic("ratelimit: " + err.Error()) // of a size below 1 only
	}
	return &local{now: now, m: m}
}

func (l *local) limiter(w state.Window) *rate.Limiter {
	lim, ok := l.m.Get(w.Key)
	if !ok {
		burst := w.Burst
		if burst == 0 {
			burst = w.Max
		}
		lim = rate.NewLimiter(rate.Limit(float64(w.Max)/w.Per.Seconds()), int(burst))
		l.m.Add(w.Key, lim)
	}
	return lim
}

// Take is state.Store's.
func (l *local) Take(_ context.Context, n int64, windows ...state.Window) (state.Taken, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	t := state.Taken{OK: true, Over: -1}
	var held []*rate.Reservation
	share := 0.0 // of the fullest window
	for i, w := range windows {
		lim := l.limiter(w)
		used := int64(float64(lim.Burst())-lim.TokensAt(now)+0.5) + n
		r := lim.ReserveN(now, int(n))
		wait := w.Per // what asks for more than the burst never fits
		if r.OK() {
			held = append(held, r)
			wait = r.DelayFrom(now)
		}
		if wait > 0 {
			if t.OK {
				t.OK, t.Over, t.Count = false, i, used
			}
			t.Wait = max(t.Wait, wait)
		}
		if s := float64(used) / float64(lim.Burst()); t.OK && s > share {
			share, t.Count = s, used
		}
	}
	if !t.OK {
		for _, r := range held {
			r.CancelAt(now)
		}
	}
	return t, nil
}

// Return is state.Store's. A Reservation whose time has come cannot be
// cancelled any more, so the tokens go back as a taking of fewer than none; the
// limiter caps what it holds at its burst.
func (l *local) Return(_ context.Context, n int64, windows ...state.Window) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	for _, w := range windows {
		if lim, ok := l.m.Get(w.Key); ok {
			lim.AllowN(now, int(-n))
		}
	}
	return nil
}
