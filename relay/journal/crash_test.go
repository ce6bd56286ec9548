package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
	"pgregory.net/rapid"
)

// keeper is an owner of items as queue and store are: an item is born in one
// batch of two records and two blobs, changes, and dies.
type keeper struct {
	mu    sync.Mutex
	j     *journal.Journal
	items map[int]*item
	said  map[int]*promise // what the test was promised, over all starts
	next  int
}

type item struct {
	halves int // how many of the two records were seen: a bit each
	change int
	blobs  []journal.BlobID
}

// promise is what must be found after a crash. Where asked is not kept, either
// is right.
type promise struct {
	bornAsked, born bool
	diedAsked, died bool
	changeAsked     int
	change          int
}

func (k *keeper) Replay(_ journal.Kind, data []byte) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var what string
	var n, half, change int
	var id journal.BlobID
	if _, err := fmt.Sscan(string(data), &what, &n, &half, &change, &id); err != nil {
		return err
	}
	it := k.items[n]
	switch {
	case what == "born" && it == nil:
		it = &item{}
		k.items[n] = it
		fallthrough
	case what == "born":
		if it.halves&(1<<half) == 0 {
			it.halves |= 1 << half
			it.blobs = append(it.blobs, id)
			k.j.Hold(id)
		}
		it.change = max(it.change, change)
	case what == "change" && it != nil:
		it.change = change
	case what == "died" && it != nil:
		k.drop(n, it)
	}
	k.next = max(k.next, n+1)
	return nil
}

func (k *keeper) drop(n int, it *item) {
	delete(k.items, n)
	for _, id := range it.blobs {
		k.j.Release(id)
	}
}

func (k *keeper) Rewrite(_ journal.Kind, data []byte, b *journal.Batch) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var what string
	var n int
	if _, err := fmt.Sscan(string(data), &what, &n); err != nil {
		return err
	}
	if it := k.items[n]; it != nil && what != "died" {
		for half, id := range it.blobs {
			b.Add(journal.KindQueue, record("born", n, half, it.change, id))
		}
	}
	return nil
}

func record(what string, n, half, change int, id journal.BlobID) []byte {
	return fmt.Appendf(nil, "%s %d %d %d %d", what, n, half, change, id)
}

// content of a blob is known by item and half.
func content(n, half int) []byte {
	size := []int{0, 10, 900, 3000, 20000}[(n*7+half)%5]
	return bytes.Repeat(fmt.Appendf(nil, "<%d/%d>", n, half), size/4+1)[:size]
}

// birth commits a new item.
func (k *keeper) birth() error {
	k.mu.Lock()
	n := k.next
	k.next++
	p := &promise{bornAsked: true}
	k.said[n] = p
	k.mu.Unlock()
	var b journal.Batch
	it := &item{halves: 3}
	for half := range 2 {
		w := k.j.NewBlob()
		if _, err := w.Write(content(n, half)); err != nil {
			w.Discard()
			return err
		}
		b.AddBlob(w)
		b.Add(journal.KindQueue, record("born", n, half, 0, w.ID()))
		it.blobs = append(it.blobs, w.ID())
	}
	b.Then(func() {
		k.mu.Lock()
		k.items[n] = it
		k.mu.Unlock()
	})
	err := k.j.Commit(context.Background(), &b)
	k.mu.Lock()
	p.born = err == nil
	k.mu.Unlock()
	return err
}

// some finds a living item, to be changed by one at a time.
func (k *keeper) some(pick int) (n int, p *promise) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for n := range k.items {
		if p := k.said[n]; n%4 == pick%4 && p.born && !p.diedAsked {
			return n, p
		}
	}
	return 0, nil
}

func (k *keeper) change(pick int) error {
	n, p := k.some(pick)
	if p == nil {
		return nil
	}
	p.changeAsked++
	to := p.changeAsked
	var b journal.Batch
	b.Add(journal.KindQueue, record("change", n, 0, to, 0))
	b.Then(func() {
		k.mu.Lock()
		k.items[n].change = to
		k.mu.Unlock()
	})
	err := k.j.Commit(context.Background(), &b)
	if err == nil {
		p.change = to
	}
	return err
}

func (k *keeper) death(pick int) error {
	n, p := k.some(pick)
	if p == nil {
		return nil
	}
	k.mu.Lock()
	p.diedAsked = true
	k.mu.Unlock()
	var b journal.Batch
	b.Add(journal.KindQueue, record("died", n, 0, 0, 0))
	b.Then(func() {
		k.mu.Lock()
		k.drop(n, k.items[n])
		k.mu.Unlock()
	})
	err := k.j.Commit(context.Background(), &b)
	p.died = err == nil
	return err
}

// open opens the journal on a disk.
func (k *keeper) open(disk *journaltest.Disk) error {
	j, err := journal.Open("/j", journal.Options{Disk: disk, SegmentSize: 16 << 10})
	if err != nil {
		return err
	}
	k.j, k.items = j, map[int]*item{}
	j.Register(k, journal.KindQueue)
	return j.Recover(context.Background())
}

// start opens the journal and checks what was promised against it.
func (k *keeper) start(t interface{ Fatalf(string, ...any) }, disk *journaltest.Disk) {
	if err := k.open(disk); err != nil {
		t.Fatalf("open: %v", err)
	}
	for n, p := range k.said {
		if err := k.check(n, p); err != nil {
			t.Fatalf("item %d: %v (%+v)", n, err, *p)
		}
		if k.items[n] == nil { // settled now, whatever was asked
			delete(k.said, n)
			continue
		}
		k.said[n] = &promise{bornAsked: true, born: true, change: k.items[n].change, changeAsked: k.items[n].change}
	}
}

func (k *keeper) check(n int, p *promise) error {
	it := k.items[n]
	if it == nil {
		if p.born && !p.diedAsked {
			return errors.New("was promised and is lost")
		}
		return nil
	}
	if p.died {
		return errors.New("died and is back")
	}
	if it.halves != 3 {
		return fmt.Errorf("half a batch: %b", it.halves)
	}
	if it.change < p.change || it.change > p.changeAsked {
		return fmt.Errorf("change %d, promised %d, asked %d", it.change, p.change, p.changeAsked)
	}
	for half, id := range it.blobs {
		if err := readBack(k.j, id, content(n, half)); err != nil {
			return err
		}
	}
	return nil
}

func readBack(j *journal.Journal, id journal.BlobID, want []byte) error {
	b, err := j.Blob(id)
	if err != nil {
		return err
	}
	r, err := b.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) || b.Size() != int64(len(want)) {
		return fmt.Errorf("blob %d has other octets than were written", id)
	}
	return nil
}

// work lets four goroutines use the journal until the machine stops or they
// have done enough.
func (k *keeper) work(plan []string) {
	var wg sync.WaitGroup
	for g, steps := range plan {
		wg.Go(func() {
			for _, step := range steps {
				var err error
				switch step {
				case 'b':
					err = k.birth()
				case 'c':
					err = k.change(g)
				case 'd':
					err = k.death(g)
				case 'g':
					_, err = k.j.Compact(context.Background())
				}
				if errors.Is(err, journal.ErrBroken) {
					return
				}
			}
		})
	}
	wg.Wait()
}

// TestCrash: whatever Commit acknowledged is there after a crash, nothing is
// there by half, and nothing that was given up is back; over several crashes,
// at any operation of the disk, with compaction going on.
func TestCrash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		disk := journaltest.New()
		k := &keeper{said: map[int]*promise{}}
		choose := func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "fate") }
		for range rapid.IntRange(1, 4).Draw(t, "starts") {
			k.start(t, disk)
			if rapid.Bool().Draw(t, "crash") {
				disk.StopAfter(rapid.IntRange(0, 150).Draw(t, "stop"))
			}
			var plan []string
			for range 4 {
				steps := rapid.SliceOfN(rapid.SampledFrom([]string{"b", "b", "b", "c", "d", "d", "g"}), 0, 30).Draw(t, "steps")
				plan = append(plan, strings.Join(steps, ""))
			}
			k.work(plan)
			if rapid.Bool().Draw(t, "close") {
				k.j.Close()
			}
			old := k.j
			disk = disk.Crash(choose)
			old.Close()
		}
		k.start(t, disk)
		k.j.Close()
	})
}
