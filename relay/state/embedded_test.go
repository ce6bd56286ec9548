package state_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
	"github.com/forepost/forepost/relay/state"
	"github.com/forepost/forepost/relay/state/statetest"
)

// restarter is an embedded store on a disk in memory.
type restarter struct {
	t    testing.TB
	disk *journaltest.Disk
	now  func() time.Time
	j    *journal.Journal
	*state.Embedded
}

func start(t testing.TB, now func() time.Time) *restarter {
	r := &restarter{t: t, disk: journaltest.New(), now: now}
	r.open()
	return r
}

func (r *restarter) open() {
	r.t.Helper()
	j, err := journal.Open("/state", journal.Options{Disk: r.disk, NoSync: true, SegmentSize: 64 << 10})
	if err != nil {
		r.t.Fatal(err)
	}
	r.j, r.Embedded = j, state.NewEmbedded(j, r.now)
	if err := j.Recover(context.Background()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *restarter) Close() error {
	if err := r.Embedded.Close(); err != nil {
		return err
	}
	return r.j.Close()
}

func (r *restarter) restart() {
	r.t.Helper()
	if err := r.Close(); err != nil {
		r.t.Fatal(err)
	}
	r.open()
}

func TestEmbedded(t *testing.T) {
	statetest.Run(t, func(t *testing.T, now func() time.Time) state.Store { return start(t, now) })
}

// forgetful restarts before every call: nothing may depend on what is only in
// memory.
type forgetful struct {
	mu sync.Mutex
	*restarter
}

func (f *forgetful) Take(ctx context.Context, n int64, w ...state.Window) (state.Taken, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.restart()
	return f.Embedded.Take(ctx, n, w...)
}

func (f *forgetful) Return(ctx context.Context, n int64, w ...state.Window) error {
	f.restart()
	return f.Embedded.Return(ctx, n, w...)
}

func (f *forgetful) See(ctx context.Context, key string, keep time.Duration) (state.Seen, error) {
	f.restart()
	return f.Embedded.See(ctx, key, keep)
}

func (f *forgetful) Get(ctx context.Context, key string) (string, error) {
	f.restart()
	return f.Embedded.Get(ctx, key)
}

func (f *forgetful) Put(ctx context.Context, key, v string, keep time.Duration) error {
	f.restart()
	return f.Embedded.Put(ctx, key, v, keep)
}

func (f *forgetful) Delete(ctx context.Context, key string) error {
	f.restart()
	return f.Embedded.Delete(ctx, key)
}

func TestEmbeddedRestarted(t *testing.T) {
	statetest.Run(t, func(t *testing.T, now func() time.Time) state.Store {
		return &forgetful{restarter: start(t, now)}
	})
}

// TestCompaction: what has ended leaves the journal; what lives stays.
func TestCompaction(t *testing.T) {
	ctx := context.Background()
	clock := statetest.NewClock()
	r := start(t, clock.Now)
	defer func() { r.Close() }()
	if err := r.Put(ctx, "lasting", "v", 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	for round := range 40 {
		for i := range 200 {
			if _, err := r.See(ctx, fmt.Sprintf("sender %d of round %d", i, round), time.Minute); err != nil {
				t.Fatal(err)
			}
		}
		clock.Advance(2 * time.Minute)
		r.restart()
	}
	if _, err := r.j.Compact(ctx); err != nil {
		t.Fatal(err)
	}
	if st := r.j.Stats(); st.Segments > 20 {
		t.Errorf("%d segments of what has ended: %+v", st.Segments, st)
	}
	r.restart()
	if v, err := r.Get(ctx, "lasting"); v != "v" || err != nil {
		t.Errorf("Get = %q, %v", v, err)
	}
}

// TestChurn: a key that changes all the time is one record in the end, without
// a restart.
func TestChurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		r := start(t, time.Now)
		defer func() { r.Close() }()
		for range 200 {
			for i := range 100 {
				if _, err := r.See(ctx, fmt.Sprintf("sender%d@example.com", i), 240*time.Hour); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(1500 * time.Millisecond) // beyond a flush
		}
		if _, err := r.j.Compact(ctx); err != nil {
			t.Fatal(err)
		}
		if st := r.j.Stats(); st.Bytes > 4*64<<10 {
			t.Errorf("%d octets for 100 keys", st.Bytes)
		}
		r.restart()
		for i := range 100 {
			seen, err := r.See(ctx, fmt.Sprintf("sender%d@example.com", i), time.Hour)
			if err != nil || seen.Count != 201 {
				t.Fatalf("sender %d: %+v, %v", i, seen, err)
			}
		}
	})
}
