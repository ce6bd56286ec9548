package state

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
)

// TestBounded: keys come from outside, so that their number is not ours.
func TestBounded(t *testing.T) {
	j, err := journal.Open("/state", journal.Options{Disk: journaltest.New(), NoSync: true, SegmentSize: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	const limit = 1024
	e := newEmbedded(j, func() time.Time { return time.Unix(1e9, 0) }, limit)
	if err := j.Recover(context.Background()); err != nil {
		t.Fatal(err)
	}
	for i := range 20 * limit {
		w := Window{Key: fmt.Sprint(i), Max: 1, Per: time.Hour}
		if got, err := e.Take(context.Background(), 1, w); err != nil || !got.OK {
			t.Fatalf("a new key was refused: %+v, %v", got, err)
		}
	}
	kept := 0
	for i := range e.shards {
		kept += len(e.shards[i].windows.m)
	}
	if kept > limit || kept < limit/2 {
		t.Errorf("%d keys are kept, of at most %d", kept, limit)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestSweep: what has ended goes while others come, without a walk over all.
func TestSweep(t *testing.T) {
	tab := newTable(1<<20, func(v int64) int64 { return v })
	for i := range 1000 {
		tab.set(fmt.Sprint("old", i), 10, 5)
	}
	for i := range 1000 {
		tab.set(fmt.Sprint("new", i), 100, 50)
	}
	if len(tab.m) > 1300 {
		t.Errorf("%d keys, 1000 of them live", len(tab.m))
	}
}

func BenchmarkTake(b *testing.B) {
	j, err := journal.Open("/state", journal.Options{Disk: journaltest.New(), NoSync: true, SegmentSize: 1 << 20})
	if err != nil {
		b.Fatal(err)
	}
	e := NewEmbedded(j, nil)
	if err := j.Recover(context.Background()); err != nil {
		b.Fatal(err)
	}
	keys := make([]Window, 4096)
	for i := range keys {
		keys[i] = Window{Key: fmt.Sprintf("limit/from/sender%d@example.com", i), Max: 1 << 40, Per: time.Minute}
	}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			_, _ = e.Take(context.Background(), 1, keys[i%4000:i%4000+4]...)
		}
	})
	e.Close()
	j.Close()
}
