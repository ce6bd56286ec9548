package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
)

// TestRecordsAreGathered: records alone, of which most are soon over, do not
// grow the journal, though it is never asked to compact.
func TestRecordsAreGathered(t *testing.T) {
	disk := journaltest.New()
	l := &list{out: map[string]bool{}}
	j := begin(t, disk, l)
	for i := range 2000 {
		word := fmt.Sprintf("%d %s", i, pattern(300))
		if i%100 != 0 {
			l.mu.Lock()
			l.out[word] = true
			l.mu.Unlock()
		}
		must(t, say(j, word))
	}
	_, err := j.Compact(context.Background()) // what the background has left over
	must(t, err)
	if st := j.Stats(); st.Bytes > 5*64<<10 {
		t.Errorf("%d octets for 6,000 that live: %+v", st.Bytes, st)
	}
	must(t, j.Close())
	l = &list{}
	j = begin(t, disk, l)
	defer j.Close()
	kept := map[string]bool{}
	for _, w := range l.words {
		kept[w] = true
	}
	for i := 0; i < 2000; i += 100 {
		if !kept[fmt.Sprintf("%d %s", i, pattern(300))] {
			t.Errorf("word %d is lost", i)
		}
	}
}

// TestSmallSegments: each start begins a segment; there are never many.
func TestSmallSegments(t *testing.T) {
	disk := journaltest.New()
	want := map[string]bool{}
	for i := range 60 {
		j := begin(t, disk, &list{})
		word := fmt.Sprint(i)
		want[word] = true
		must(t, say(j, word))
		_, err := j.Compact(context.Background())
		must(t, err)
		if n := j.Stats().Segments; n > 20 {
			t.Fatalf("%d segments after %d starts", n, i)
		}
		must(t, j.Close())
	}
	l := &list{}
	j := begin(t, disk, l)
	defer j.Close()
	got := map[string]bool{}
	for _, w := range l.words {
		got[w] = true
	}
	if !maps.Equal(got, want) {
		t.Errorf("recovered %q", l.words)
	}
}

// TestDamageFoundByCompaction: what is copied is checked; a blob that has
// changed on the disk is not copied, and its segment stays for the operator.
func TestDamageFoundByCompaction(t *testing.T) {
	disk := journaltest.New()
	l := &list{out: map[string]bool{"x": true}}
	j := begin(t, disk, l)
	defer j.Close()
	bad := put(t, j, "x", []byte("the octets that a disk will change"))
	spoil(t, disk, segmentOne, func(d []byte) []byte {
		d[bytes.Index(d, []byte("disk will"))] ^= 1
		return d
	})
	var err error
	for i := 0; i < 30 && err == nil; i++ {
		j.Release(put(t, j, "x", pattern(16000)))
		_, err = j.Compact(context.Background())
	}
	var damage *journal.DamageError
	if !errors.As(err, &damage) {
		t.Fatalf("Compact: %v", err)
	}
	if _, err := j.Blob(bad); err != nil {
		t.Errorf("the blob was given up: %v", err)
	}
}

// TestScanAndDrop: a journal that is read by scanning, and given up by age and
// size.
func TestScanAndDrop(t *testing.T) {
	disk := journaltest.New()
	skim := func(o *journal.Options) { o.Skim = true }
	j := begin(t, disk, &list{}, skim)
	for i := range 100 {
		must(t, say(j, fmt.Sprintf("%d %s", i, pattern(4000))))
	}
	must(t, j.Close())
	l := &list{}
	j = begin(t, disk, l, skim)
	defer j.Close()
	if l.words != nil {
		t.Errorf("%d records were replayed", len(l.words))
	}
	must(t, say(j, "100 in a new segment"))
	count := func() (n int) {
		var first int
		for _, s := range slices.Backward(j.Segments()) {
			must(t, j.Scan(context.Background(), s.Number, func(_ journal.Kind, data []byte) error {
				_, err := fmt.Sscan(string(data), &first)
				n++
				return err
			}))
		}
		return n
	}
	if n := count(); n != 101 {
		t.Errorf("%d records of 101", n)
	}
	done, err := j.Drop(j.Segments()[0].Sealed.Add(-1), 0)
	if err != nil || done != 0 {
		t.Errorf("what is young enough was dropped: %d, %v", done, err)
	}
	_, err = j.Drop(j.Segments()[0].Sealed.Add(-1), 200<<10)
	must(t, err)
	if n := count(); n > 50 || n < 30 {
		t.Errorf("%d records of 4,000 octets in 200 KiB", n)
	}
	last := j.Segments()
	_, err = j.Drop(last[len(last)-2].Sealed.Add(1), 0)
	must(t, err)
	if n := count(); n != 1 {
		t.Errorf("%d records are left, not the last", n)
	}
}
