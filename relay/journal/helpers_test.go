package journal_test

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
)

// list is an owner of words: every record is one, it holds no blobs unless
// told to, and a word that was crossed out is not written again.
type list struct {
	mu    sync.Mutex
	words []string
	out   map[string]bool
	hold  func(word string)
}

func (l *list) Replay(_ journal.Kind, data []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.words = append(l.words, string(data))
	if l.hold != nil {
		l.hold(string(data))
	}
	return nil
}

func (l *list) Rewrite(k journal.Kind, data []byte, b *journal.Batch) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.out[string(data)] {
		b.Add(k, data)
	}
	return nil
}

// begin opens and recovers a journal on a disk.
func begin(t testing.TB, disk journal.Disk, l *list, options ...func(*journal.Options)) *journal.Journal {
	t.Helper()
	j, err := try(disk, l, options...)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func try(disk journal.Disk, l *list, options ...func(*journal.Options)) (*journal.Journal, error) {
	o := journal.Options{Disk: disk, SegmentSize: 64 << 10}
	for _, f := range options {
		f(&o)
	}
	j, err := journal.Open("/j", o)
	if err != nil {
		return nil, err
	}
	j.Register(l, journal.KindQueue)
	if err := j.Recover(context.Background()); err != nil {
		j.Close()
		return nil, err
	}
	return j, nil
}

func say(j *journal.Journal, words ...string) error {
	var b journal.Batch
	for _, w := range words {
		b.Add(journal.KindQueue, []byte(w))
	}
	return j.Commit(context.Background(), &b)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// put commits a blob of so many octets with a word.
func put(t testing.TB, j *journal.Journal, word string, data []byte) journal.BlobID {
	t.Helper()
	w := j.NewBlob()
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	var b journal.Batch
	b.Add(journal.KindQueue, []byte(word))
	b.AddBlob(w)
	must(t, j.Commit(context.Background(), &b))
	return w.ID()
}

func read(t testing.TB, b *journal.Blob) []byte {
	t.Helper()
	r, err := b.Open()
	must(t, err)
	defer r.Close()
	data, err := io.ReadAll(r)
	must(t, err)
	return data
}

func expectWords(t testing.TB, disk journal.Disk, want ...string) {
	t.Helper()
	l := &list{}
	j := begin(t, disk, l)
	defer j.Close()
	if !slices.Equal(l.words, want) {
		t.Errorf("recovered %q, want %q", l.words, want)
	}
}

// expectAll is expectWords in whatever order: want is sorted.
func expectAll(t testing.TB, disk journal.Disk, want ...string) {
	t.Helper()
	l := &list{}
	j := begin(t, disk, l)
	defer j.Close()
	if got := slices.Sorted(slices.Values(l.words)); !slices.Equal(got, want) {
		t.Errorf("recovered %q, want %q", got, want)
	}
}

// whole keeps all that was written, as a crash may; nothing, what was synced.
func whole(n int) int { return n - 1 }
func nothing(int) int { return 0 }
func pattern(n int) []byte {
	return bytes.Repeat([]byte("0123456789abcdef-"), n/17+1)[:n]
}

func TestRecovery(t *testing.T) {
	disk := journaltest.New()
	for _, words := range [][]string{{"one"}, {"two", "three"}, {"four"}} {
		j := begin(t, disk, &list{})
		must(t, say(j, words...))
		must(t, j.Close())
	}
	expectWords(t, disk, "one", "two", "three", "four")
}

// TestCommitIsDurable: what Commit acknowledged is there if the disk forgets
// everything else; what Append took is there after the next commit, or MaxDelay.
func TestCommitIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := journaltest.New()
		j := begin(t, disk, &list{})
		must(t, say(j, "committed"))
		told := make(chan error, 2)
		var b journal.Batch
		b.Add(journal.KindQueue, []byte("appended"))
		j.Append(&b, func(err error) { told <- err })
		synctest.Wait()
		if len(told) != 0 {
			t.Error("Append said that it is durable before anything was synced")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if len(told) != 1 {
			t.Fatalf("Append answered %d times", len(told))
		}
		must(t, <-told)
		after := disk.Crash(nothing)
		j.Close()
		expectWords(t, after, "committed", "appended")
	})
}

// TestOrder: batches that were appended come before those committed later.
func TestOrder(t *testing.T) {
	disk := journaltest.New()
	j := begin(t, disk, &list{})
	var order []string
	for _, w := range []string{"a", "b", "c"} {
		var b journal.Batch
		b.Add(journal.KindQueue, []byte(w))
		b.Then(func() { order = append(order, w) })
		j.Append(&b, nil)
	}
	must(t, say(j, "d"))
	must(t, j.Close())
	if !slices.Equal(order, []string{"a", "b", "c"}) {
		t.Errorf("Then was called in the order %q", order)
	}
	expectWords(t, disk, "a", "b", "c", "d")
}

func TestClosed(t *testing.T) {
	j := begin(t, journaltest.New(), &list{})
	must(t, j.Close())
	must(t, j.Close())
	if err := say(j, "x"); err != journal.ErrClosed {
		t.Errorf("Commit after Close: %v", err)
	}
	w := j.NewBlob()
	if _, err := w.Write(pattern(1 << 20)); err != journal.ErrClosed {
		t.Errorf("Write after Close: %v", err)
	}
}

func TestContext(t *testing.T) {
	j := begin(t, journaltest.New(), &list{})
	defer j.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var b journal.Batch
	b.Add(journal.KindQueue, []byte("x"))
	if err := j.Commit(ctx, &b); err != context.Canceled {
		t.Errorf("Commit: %v", err)
	}
}
