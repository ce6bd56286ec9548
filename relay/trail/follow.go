package trail

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// followers are those who want to see records as they are written.
type followers struct {
	n    atomic.Int32
	mu   sync.Mutex
	list map[*follower]struct{}
	over bool
}

type follower struct {
	m    *matcher
	c    chan *Record
	lost *atomic.Uint64
}

// followRoom is how many records may wait for a follower; one that is slower
// loses some.
const followRoom = 1000

// Follow calls f for each record that matches from now on, until ctx ends, the
// trail is closed, or f fails, whose error it returns. Since, Until and Limit of
// the query do not count. A follower that is too slow misses records, which are
// counted in lost, unless that is nil.
func (t *Trail) Follow(ctx context.Context, q Query, lost *atomic.Uint64, f func(*Record) error) error {
	if lost == nil {
		lost = &atomic.Uint64{}
	}
	q.Since, q.Until = t.now().Add(-slowest), time.Time{}
	w := &follower{m: newMatcher(q, t), c: make(chan *Record, followRoom), lost: lost}
	if !t.followers.add(w) {
		return nil
	}
	defer t.followers.remove(w)
	for {
		select {
		case r, ok := <-w.c:
			if !ok {
				return nil
			}
			if err := f(r); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (fs *followers) add(w *follower) bool {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.over {
		return false
	}
	if fs.list == nil {
		fs.list = map[*follower]struct{}{}
	}
	fs.list[w] = struct{}{}
	fs.n.Add(1)
	return true
}

func (fs *followers) remove(w *follower) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if _, ok := fs.list[w]; ok {
		delete(fs.list, w)
		fs.n.Add(-1)
	}
}

// tell hands entries that were written to who wants them.
func (fs *followers) tell(t *Trail, entries [][]byte) {
	if fs.n.Load() == 0 {
		return
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for w := range fs.list {
		for _, p := range entries {
			r, err := w.m.entry(hit{t.last, p})
			if err != nil || r == nil {
				continue
			}
			select {
			case w.c <- r:
			default: // it does not keep up
				w.lost.Add(1)
			}
		}
	}
}

// end lets everybody go.
func (fs *followers) end() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.over = true
	for w := range fs.list {
		close(w.c)
		delete(fs.list, w)
	}
	fs.n.Store(0)
}
