package filtertest

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
	"github.com/forepost/forepost/relay/state"
)

// Clock is a clock that moves when it is told to; it begins at Now.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// NewClock makes one.
func NewClock() *Clock { return &Clock{t: Now} }

// Now is what it shows.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

// Pass moves it.
func (c *Clock) Pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// State is the embedded state on a disk in memory. It ends with the test.
func State(t testing.TB, now func() time.Time) state.Store {
	t.Helper()
	j, err := journal.Open("/state", journal.Options{Disk: journaltest.New(), NoSync: true, SegmentSize: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	s := state.NewEmbedded(j, now)
	if err := j.Recover(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
