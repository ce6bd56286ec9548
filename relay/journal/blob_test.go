package journal_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"
	"testing/iotest"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
)

// TestBlob: a blob reads the same while it is written, when it is committed,
// and after a restart, by every way of reading, small or in many parts.
func TestBlob(t *testing.T) {
	for _, size := range []int{0, 1, 4000, 16 << 10, 16<<10 + 1, 100000, 300000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			want := pattern(size)
			disk := journaltest.New()
			j := begin(t, disk, &list{})
			w := j.NewBlob()
			for p := want; len(p) > 0; {
				n := min(len(p), 5000)
				_, err := w.Write(p[:n])
				must(t, err)
				p = p[n:]
			}
			blob := w.Blob()
			checkBlob(t, blob, want)
			if _, err := j.Blob(w.ID()); err != journal.ErrNoBlob {
				t.Errorf("before the commit: %v", err)
			}
			var b journal.Batch
			b.Add(journal.KindQueue, []byte("x"))
			b.AddBlob(w)
			must(t, j.Commit(context.Background(), &b))
			w.Discard() // does nothing
			checkBlob(t, blob, want)
			found, err := j.Blob(w.ID())
			must(t, err)
			checkBlob(t, found, want)
			must(t, j.Close())

			l := &list{}
			var j2 *journal.Journal
			l.hold = func(string) { j2.Hold(w.ID()) }
			j2, err = journal.Open("/j", journal.Options{Disk: disk, SegmentSize: 64 << 10})
			must(t, err)
			j2.Register(l, journal.KindQueue)
			must(t, j2.Recover(context.Background()))
			defer j2.Close()
			found, err = j2.Blob(w.ID())
			must(t, err)
			checkBlob(t, found, want)
			j2.Release(w.ID())
			if _, err := j2.Blob(w.ID()); err != journal.ErrNoBlob {
				t.Errorf("after the last Release: %v", err)
			}
			if n := j2.NewBlob().ID(); n <= w.ID() {
				t.Errorf("the name %d is given again, after %d", n, w.ID())
			}
		})
	}
}

func checkBlob(t *testing.T, b *journal.Blob, want []byte) {
	t.Helper()
	if b.Size() != int64(len(want)) {
		t.Errorf("size %d, want %d", b.Size(), len(want))
	}
	r, err := b.Open()
	must(t, err)
	defer r.Close()
	if err := iotest.TestReader(r, want); err != nil {
		t.Error(err)
	}
}

// TestReaderOutlivesAll: a reader that is open reads on, whatever is released,
// moved or removed meanwhile.
func TestReaderOutlivesAll(t *testing.T) {
	l := &list{out: map[string]bool{}}
	j := begin(t, journaltest.New(), l)
	defer j.Close()
	want := pattern(30000)
	id := put(t, j, "held", want)
	b, err := j.Blob(id)
	must(t, err)
	r, err := b.Open()
	must(t, err)
	kept := put(t, j, "kept", want)
	j.Release(id)
	l.out["held"] = true
	for i := range 40 { // fill segments with what dies, until the first is given up
		word := fmt.Sprint(i)
		l.mu.Lock()
		l.out[word] = true
		l.mu.Unlock()
		j.Release(put(t, j, word, pattern(20000)))
	}
	_, err = j.Compact(context.Background())
	must(t, err)
	if st := j.Stats(); st.Segments > 4 {
		t.Errorf("nothing was given up: %+v", st)
	}
	got, err := io.ReadAll(r)
	must(t, err)
	if !bytes.Equal(got, want) {
		t.Error("the reader reads something else")
	}
	must(t, r.Close())
	if b, err = j.Blob(kept); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read(t, b), want) {
		t.Error("the blob that is held was not moved whole")
	}
}

// TestUnheld: a blob that no owner holds after a restart is gone, and the
// octets of one that was never committed are free.
func TestUnheld(t *testing.T) {
	disk := journaltest.New()
	j := begin(t, disk, &list{})
	id := put(t, j, "x", pattern(100))
	w := j.NewBlob()
	_, err := w.Write(pattern(100000))
	must(t, err)
	if live := j.Stats().Live; live < 90000 {
		t.Errorf("what is being written does not count as alive: %d", live)
	}
	w.Discard()
	if live := j.Stats().Live; live > 1000 {
		t.Errorf("%d octets are alive after Discard", live)
	}
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("a discarded blob takes octets")
	}
	must(t, j.Close())
	j = begin(t, disk, &list{})
	defer j.Close()
	if _, err := j.Blob(id); err != journal.ErrNoBlob {
		t.Errorf("Blob: %v", err)
	}
}

// TestTwice: a blob goes into one batch.
func TestTwice(t *testing.T) {
	j := begin(t, journaltest.New(), &list{})
	defer j.Close()
	w := j.NewBlob()
	var a, b journal.Batch
	a.AddBlob(w)
	b.AddBlob(w)
	must(t, j.Commit(context.Background(), &a))
	if err := j.Commit(context.Background(), &b); err == nil {
		t.Error("a blob was committed twice")
	}
}
