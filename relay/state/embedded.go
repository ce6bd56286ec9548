package state

import (
	"context"
	"hash/maphash"
	"strings"
	"sync"
	"time"

	"github.com/forepost/forepost/relay/journal"
)

// Embedded is the Store within the process. It lives in memory; what changes
// is written to a journal within a second, so that a restart forgets nothing
// and a crash very little.
type Embedded struct {
	now    func() time.Time
	j      *journal.Journal
	seed   maphash.Seed
	shards [shardCount]shard

	stop context.CancelFunc
	gone sync.WaitGroup
}

var _ Store = (*Embedded)(nil)

const (
	shardCount = 64

	// maxEntries is how many keys are kept in all, of windows, See and Put
	// each; then those that end soonest make room. A key is about 150 octets.
	maxEntries = 1 << 20

	flushEvery = time.Second
)

// shard is a part of the keys.
type shard struct {
	mu      sync.Mutex
	windows table[int64] // the theoretical arrival time, in nanoseconds
	seen    table[sighting]
	values  table[value]
	dirty   map[dirtyKey]struct{} // to be written
}

// sighting is what See keeps; times in nanoseconds.
type sighting struct{ first, last, count, until int64 }

// value is what Put keeps.
type value struct {
	text  string
	until int64
}

// NewEmbedded registers KindState with j, which is a journal of its own (what
// changes this often must not fill that of the mail) and is recovered
// afterwards by the caller, who also closes it after Close.
func NewEmbedded(j *journal.Journal, now func() time.Time) *Embedded {
	return newEmbedded(j, now, maxEntries)
}

func newEmbedded(j *journal.Journal, now func() time.Time, limit int) *Embedded {
	e := &Embedded{now: now, j: j, seed: maphash.MakeSeed()}
	if now == nil {
		e.now = time.Now
	}
	for i := range e.shards {
		s := &e.shards[i]
		s.windows = newTable(limit/shardCount, func(v int64) int64 { return v })
		s.seen = newTable(limit/shardCount, func(v sighting) int64 { return v.until })
		s.values = newTable(limit/shardCount, func(v value) int64 { return v.until })
		s.dirty = map[dirtyKey]struct{}{}
	}
	j.Register(e, journal.KindState)
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	e.gone.Go(func() { e.flushAll(ctx) })
	return e
}

func (e *Embedded) index(key string) int {
	return int(maphash.String(e.seed, key) % shardCount)
}

func (e *Embedded) shard(key string) *shard { return &e.shards[e.index(key)] }

// lock takes the shards of all windows, always in the same order.
func (e *Embedded) lock(windows []Window) (unlock func()) {
	var used [shardCount]bool
	for _, w := range windows {
		used[e.index(bounded(w.Key))] = true
	}
	for i, u := range used {
		if u {
			e.shards[i].mu.Lock()
		}
	}
	return func() {
		for i, u := range used {
			if u {
				e.shards[i].mu.Unlock()
			}
		}
	}
}

// Take is Store's.
func (e *Embedded) Take(_ context.Context, n int64, windows ...Window) (Taken, error) {
	now := e.now().UnixNano()
	defer e.lock(windows)()
	t := newTally()
	after := make([]int64, len(windows))
	for i, w := range windows {
		key := bounded(w.Key)
		cell := e.shard(key).windows.m[key]
		var wait int64
		after[i], wait = w.take(cell, now, n)
		t.add(i, w, w.inUse(after[i], now), wait)
	}
	if !t.OK {
		return t.Taken, nil
	}
	for i, w := range windows {
		e.setWindow(bounded(w.Key), after[i], now)
	}
	return t.Taken, nil
}

// Return is Store's.
func (e *Embedded) Return(_ context.Context, n int64, windows ...Window) error {
	now := e.now().UnixNano()
	defer e.lock(windows)()
	for _, w := range windows {
		key := bounded(w.Key)
		if cell := e.shard(key).windows.m[key]; cell > now {
			e.setWindow(key, max(now, cell-n*w.interval()), now)
		}
	}
	return nil
}

// setWindow changes a cell, whose shard is locked.
func (e *Embedded) setWindow(key string, cell, now int64) {
	s := e.shard(key)
	s.windows.set(key, cell, now)
	s.dirty[dirtyKey{'w', key}] = struct{}{}
}

// See is Store's.
func (e *Embedded) See(_ context.Context, key string, keep time.Duration) (Seen, error) {
	key = bounded(key)
	now := e.now()
	at := now.UnixNano()
	s := e.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	old, known := s.seen.m[key]
	if !known || old.until <= at {
		s.setSeen(key, sighting{first: at, last: at, count: 1, until: at + int64(keep)}, at)
		return Seen{First: now, Count: 1}, nil
	}
	s.setSeen(key, sighting{first: old.first, last: at, count: old.count + 1, until: at + int64(keep)}, at)
	return Seen{First: time.Unix(0, old.first), Last: time.Unix(0, old.last), Count: old.count + 1}, nil
}

func (s *shard) setSeen(key string, v sighting, now int64) {
	s.seen.set(key, v, now)
	s.dirty[dirtyKey{'s', key}] = struct{}{}
}

// Get is Store's.
func (e *Embedded) Get(_ context.Context, key string) (string, error) {
	key = bounded(key)
	now := e.now().UnixNano()
	s := e.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if v, ok := s.values.m[key]; ok && v.until > now {
		return v.text, nil
	}
	return "", nil
}

// Put is Store's.
func (e *Embedded) Put(_ context.Context, key, text string, keep time.Duration) error {
	key = bounded(key)
	now := e.now().UnixNano()
	s := e.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values.set(key, value{text, now + int64(keep)}, now)
	s.dirty[dirtyKey{'v', key}] = struct{}{}
	return nil
}

// List is Lister's.
func (e *Embedded) List(_ context.Context, prefix string) (list []Kept, err error) {
	now := e.now().UnixNano()
	for i := range e.shards {
		s := &e.shards[i]
		s.mu.Lock()
		for key, v := range s.values.m {
			if v.until > now && strings.HasPrefix(key, prefix) {
				list = append(list, Kept{key, v.text})
			}
		}
		s.mu.Unlock()
	}
	return list, nil
}

// Delete is Store's.
func (e *Embedded) Delete(_ context.Context, key string) error {
	key = bounded(key)
	s := e.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.seen.m, key)
	delete(s.values.m, key)
	s.dirty[dirtyKey{'s', key}] = struct{}{}
	s.dirty[dirtyKey{'v', key}] = struct{}{}
	return nil
}

// Close writes what was not written yet. The journal stays open.
func (e *Embedded) Close() error {
	e.stop()
	e.gone.Wait()
	return e.flush(context.Background())
}
