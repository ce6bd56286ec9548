package trail_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail"
	"github.com/forepost/forepost/relay/trail/index"
)

// slowIndex is a disk on which nothing can be written into an index until the gate
// opens.
type slowIndex struct {
	*journaltest.Disk
	gate chan struct{}
}

type slowFile struct {
	journal.File
	gate chan struct{}
}

func (d slowIndex) Create(name string) (journal.File, error) {
	f, err := d.Disk.Create(name)
	return d.slow(name, f), err
}

func (d slowIndex) Open(name string) (journal.File, error) {
	f, err := d.Disk.Open(name)
	return d.slow(name, f), err
}

func (d slowIndex) slow(name string, f journal.File) journal.File {
	if strings.HasSuffix(name, ".idx") {
		return slowFile{f, d.gate}
	}
	return f
}

func (f slowFile) WriteAt(p []byte, off int64) (int, error) {
	<-f.gate
	return f.File.WriteAt(p, off)
}

// TestKillLeavesTheIndex: what is no whole chunk yet is written as it grows, so that
// after a kill little has to be indexed anew. How far it is when the kill comes hangs
// on the batches in which entries were written: in most tries it is past the middle.
func TestKillLeavesTheIndex(t *testing.T) {
	const tries = 20
	for range tries {
		left := false
		synctest.Test(t, func(t *testing.T) { left = killed(t) })
		if left {
			return
		}
	}
	t.Errorf("in %d tries a kill never left an index of half the entries", tries)
}

// killed kills a trail with many entries and looks whether most are indexed then; all
// are found in any case.
func killed(t *testing.T) (left bool) {
	h := build(t, trail.Options{})
	id := h.ids.Session().Transaction(0)
	const n = 10000
	for i := range n {
		h.Event(trail.Event{ID: id, Time: time.Now(), What: "deferred", Note: fmt.Sprint(i)})
		if i%1000 == 0 {
			synctest.Wait()
		}
	}
	synctest.Wait()
	after := h.disk.Crash(func(n int) int { return n - 1 })
	h.Close() // its machine has stopped
	if f, err := after.Open("/trail/index/0000000001.idx"); err == nil {
		size, _ := f.Size() // of a disk in memory
		chunk, err := index.Open(f, 0, size)
		left = err == nil && chunk.Len() >= n/2 && chunk.End() == size
	}
	h.disk = after
	h.open(trail.Options{})
	defer h.close()
	for range 2 { // before and with the index
		if got := h.stories(id); len(got) != 1 || len(got[0].Events) != n {
			t.Errorf("%d stories", len(got))
		}
		synctest.Wait()
	}
	return left
}

// TestSearchDoesNotWait: what an index has not yet got, while it is being made and
// after a kill that left nothing of it, is found at once all the same. In the bubble
// a search that waited for the index would wait for ever.
func TestSearchDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)))
		disk := slowIndex{journaltest.New(), make(chan struct{})}
		h := &house{t: t, disk: disk.Disk, ids: mail.NewIDs("a", time.Now)}
		open := func() {
			t.Helper()
			var err error
			if h.Trail, err = trail.Open("/trail", trail.Options{Disk: disk}); err != nil {
				t.Fatal(err)
			}
		}
		open()
		first := h.refuse(h.ids.Session().Transaction(0), "first@example.com", "b@example.org", "hello")
		other := h.ids.Session().Transaction(0)
		for i := range index.MaxEntries + 1000 { // more than a chunk: the index is to be written
			h.Event(trail.Event{ID: other, Time: time.Now(), What: "deferred", Note: fmt.Sprint(i)})
			if i%1000 == 0 {
				synctest.Wait()
			}
		}
		last := h.refuse(h.ids.Session().Transaction(0), "last@example.com", "b@example.org", "hello")
		synctest.Wait()
		check := func(when string) {
			t.Helper()
			for _, want := range []*trail.Record{first, last} {
				if got := h.search(trail.Query{From: *want.From}); len(got) != 1 || got[0] != want.ID {
					t.Errorf("%s: %v for %s", when, got, *want.From)
				}
				if got := h.stories(want.ID); len(got) != 1 || got[0].Record == nil {
					t.Errorf("%s: the story is %v", when, got)
				}
			}
			if got := h.stories(other); len(got) != 1 || len(got[0].Events) != index.MaxEntries+1000 {
				t.Errorf("%s: %d stories", when, len(got))
			}
		}
		check("while the index is being written")

		killed, gate := h.Trail, disk.gate
		disk = slowIndex{disk.Disk.Crash(func(n int) int { return n - 1 }), make(chan struct{})}
		h.disk = disk.Disk
		open()
		check("after a kill")
		synctest.Wait()
		check("while the index is made anew")
		close(disk.gate)
		synctest.Wait()
		check("with the index")
		h.close()
		open()
		check("after a restart")
		h.close()
		close(gate)
		killed.Close() // its machine has stopped: only its goroutines are to end
	})
}
