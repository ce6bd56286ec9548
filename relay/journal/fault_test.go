package journal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
)

// TestSyncFails: a failed sync is never tried again, and everything after it is
// refused, since the kernel may have dropped what it could not write.
func TestSyncFails(t *testing.T) {
	disk := journaltest.New()
	j := begin(t, disk, &list{})
	must(t, say(j, "kept"))
	syncs := 0
	disk.SetFail(func(op, _ string) error {
		if op == "sync" {
			syncs++
			return syscall.EIO
		}
		return nil
	})
	err := say(j, "lost")
	if !errors.Is(err, journal.ErrBroken) || !errors.Is(err, syscall.EIO) {
		t.Errorf("Commit: %v", err)
	}
	disk.SetFail(nil)
	if err := say(j, "later"); !errors.Is(err, journal.ErrBroken) {
		t.Errorf("a later Commit: %v", err)
	}
	w := j.NewBlob()
	if _, err := w.Write(pattern(100000)); !errors.Is(err, journal.ErrBroken) {
		t.Errorf("a later Write: %v", err)
	}
	if syncs != 1 {
		t.Errorf("%d syncs were tried", syncs)
	}
	after := disk.Crash(nothing)
	j.Close()
	expectWords(t, after, "kept")
}

// TestWriteFails: so does a write that fails otherwise than for want of space.
func TestWriteFails(t *testing.T) {
	disk := journaltest.New()
	j := begin(t, disk, &list{})
	must(t, say(j, "kept"))
	disk.SetFail(func(op, _ string) error {
		if op == "write" {
			return syscall.EIO
		}
		return nil
	})
	if err := say(j, "lost"); !errors.Is(err, journal.ErrBroken) {
		t.Errorf("Commit: %v", err)
	}
	disk.SetFail(nil)
	after := disk.Crash(whole)
	j.Close()
	expectWords(t, after, "kept")
}

// TestFull: a full disk refuses messages first; records still go for a while,
// so that what frees space can be written; and it ends by itself.
func TestFull(t *testing.T) {
	disk := journaltest.New()
	j := begin(t, disk, &list{})
	must(t, say(j, "first"))
	disk.SetSpace(64 << 10) // one segment
	var err error
	for i := 0; err == nil && i < 100; i++ {
		w := j.NewBlob()
		if _, err = w.Write(pattern(10000)); err != nil {
			break
		}
		var b journal.Batch
		b.AddBlob(w)
		if err = j.Commit(context.Background(), &b); err == nil {
			j.Release(w.ID())
		}
	}
	if !errors.Is(err, journal.ErrFull) {
		t.Fatalf("Commit: %v", err)
	}
	w := j.NewBlob()
	if _, err := w.Write(pattern(100000)); !errors.Is(err, journal.ErrFull) {
		t.Errorf("Write of a large blob: %v", err)
	}
	must(t, say(j, "a record"))
	disk.SetSpace(1 << 20)
	put(t, j, "a message", pattern(10000))
	must(t, j.Close())
	expectAll(t, disk, "a message", "a record", "first") // compaction may have moved some meanwhile
}

// TestSmallDisk: where there is no room for a whole segment a smaller one does,
// and what that means is told once.
func TestSmallDisk(t *testing.T) {
	disk := journaltest.New()
	disk.SetSpace(30 << 10) // less than half a segment
	var log bytes.Buffer
	j := begin(t, disk, &list{}, func(o *journal.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	put(t, j, "a message", pattern(5000))
	var err error
	for i := 0; err == nil && i < 1000; i++ {
		w := j.NewBlob()
		if _, err = w.Write(pattern(2000)); err == nil {
			var b journal.Batch
			b.AddBlob(w)
			err = j.Commit(context.Background(), &b)
		}
	}
	if !errors.Is(err, journal.ErrFull) {
		t.Fatalf("Commit: %v", err)
	}
	disk.SetSpace(1 << 20)
	put(t, j, "another", pattern(5000))
	must(t, j.Close())
	if full, room := strings.Count(log.String(), "level=ERROR msg=\"the disk is full"), strings.Count(log.String(), "has room again"); full != 1 || room != 1 {
		t.Errorf("told %d times that it is full and %d times that it is not\n%s", full, room, log.String())
	}
	expectAll(t, disk, "a message", "another")
}

// TestCompactionOnAFullDisk: what cannot be compacted now is tried again after
// a pause, and is told once.
func TestCompactionOnAFullDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := journaltest.New()
		var log bytes.Buffer
		j := begin(t, disk, &list{}, func(o *journal.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
		var ids []journal.BlobID
		for range 40 {
			w := j.NewBlob()
			w.Write(pattern(6000))
			var b journal.Batch
			b.AddBlob(w)
			must(t, j.Commit(context.Background(), &b))
			ids = append(ids, w.ID())
		}
		creates := 0
		disk.SetFail(func(op, _ string) error {
			if op == "create" {
				creates++
				return syscall.ENOSPC
			}
			return nil
		})
		for i, id := range ids { // so that the rest would have to be moved
			if i%4 != 0 {
				j.Release(id)
			}
		}
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if n := strings.Count(log.String(), "compaction stopped"); n != 1 || creates < 5 || creates > 60 {
			t.Errorf("in ten minutes it was tried %d times and told %d times", creates, n)
		}
		disk.SetFail(nil)
		must(t, j.Close())
	})
}

// TestFullOnWrite: on file systems that copy on write the space may be gone in
// spite of preallocation. The write that failed is refused; the next overwrites
// what got there of it.
func TestFullOnWrite(t *testing.T) {
	disk := journaltest.New()
	j := begin(t, disk, &list{})
	must(t, say(j, "one"))
	fail := true
	disk.SetFail(func(op, _ string) error {
		if op == "write" && fail {
			return syscall.ENOSPC
		}
		return nil
	})
	if err := say(j, "refused"); !errors.Is(err, journal.ErrFull) {
		t.Errorf("Commit: %v", err)
	}
	fail = false
	must(t, say(j, "two"))
	must(t, j.Close())
	expectWords(t, disk, "one", "two")
}

// TestNoSegment: other reasons why a segment cannot be made refuse what needs
// it, and no more.
func TestNoSegment(t *testing.T) {
	disk := journaltest.New()
	j := begin(t, disk, &list{})
	disk.SetFail(func(op, _ string) error {
		if op == "create" {
			return syscall.EMFILE
		}
		return nil
	})
	if err := say(j, "x"); !errors.Is(err, syscall.EMFILE) || errors.Is(err, journal.ErrBroken) {
		t.Errorf("Commit: %v", err)
	}
	disk.SetFail(nil)
	must(t, say(j, "y"))
	must(t, j.Close())
	expectWords(t, disk, "y")
}

// TestLocked: a second opener is refused.
func TestLocked(t *testing.T) {
	dir := t.TempDir()
	j, err := journal.Open(dir, journal.Options{})
	must(t, err)
	defer j.Close()
	_, err = journal.Open(dir, journal.Options{})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("in use by process %d", syscall.Getpid())) {
		t.Errorf("a second Open: %v", err)
	}
}

// spoil changes octets of a file on the disk.
func spoil(t *testing.T, disk *journaltest.Disk, name string, change func(data []byte) []byte) {
	t.Helper()
	f, err := disk.Open(name)
	must(t, err)
	size, err := f.Size()
	must(t, err)
	data := make([]byte, size)
	_, err = f.ReadAt(data, 0)
	must(t, err)
	data = change(data)
	_, err = f.WriteAt(data, 0)
	must(t, err)
	must(t, f.Truncate(int64(len(data))))
	must(t, f.Sync())
}

const segmentOne = "/j/0000000001.seg"

// TestDamage: what was promised and cannot be read is an error with the place,
// and nothing is cut.
func TestDamage(t *testing.T) {
	flip := func(word string) func([]byte) []byte {
		return func(data []byte) []byte {
			data[bytes.Index(data, []byte(word))] ^= 1
			return data
		}
	}
	for name, c := range map[string]struct {
		change func([]byte) []byte
		want   string
	}{
		"a record":            {flip("middle"), "checksum of a frame's payload"},
		"a record at the end": {flip("last"), "checksum of a frame's payload"},
		"the head of a frame": {func(d []byte) []byte {
			d[bytes.Index(d, []byte("middle"))-40] ^= 1
			return d
		}, "checksum of a frame's head"},
		"zeros":              {func(d []byte) []byte { clear(d[64:]); return d }, "no frame"},
		"cut":                {func(d []byte) []byte { return d[:len(d)-70] }, "ends within a frame"},
		"the segment's head": {func(d []byte) []byte { d[20] ^= 1; return d }, "checksum of a frame's head"},
		"nothing left":       {func([]byte) []byte { return nil }, "shorter than the head"},
		"another version":    {func(d []byte) []byte { d[3] = 9; return d }, "format version 9, this program knows 1"},
	} {
		t.Run(name, func(t *testing.T) {
			disk := journaltest.New()
			for _, words := range [][]string{{"first", "middle", "last"}, {"second segment"}} {
				j := begin(t, disk, &list{})
				for _, w := range words {
					must(t, say(j, w))
				}
				must(t, j.Close())
			}
			spoil(t, disk, segmentOne, c.change)
			_, err := try(disk, &list{})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), segmentOne) {
				t.Errorf("Recover: %v", err)
			}
		})
	}
}

// TestDamageInLast: in the segment that was being written, a frame that a later
// one knows to be synced is damage; one that nothing vouches for is a torn end.
func TestDamageInLast(t *testing.T) {
	for word, want := range map[string]string{"one": "was on the disk once", "two": "was on the disk once", "three": ""} {
		t.Run(word, func(t *testing.T) {
			disk := journaltest.New()
			j := begin(t, disk, &list{})
			for _, w := range []string{"one", "two", "three"} {
				must(t, say(j, w))
			}
			after := disk.Crash(nothing)
			j.Close()
			spoil(t, after, segmentOne, func(d []byte) []byte { d[bytes.Index(d, []byte(word))] ^= 1; return d })
			_, err := try(after, &list{})
			if want == "" {
				must(t, err)
				return
			}
			var damage *journal.DamageError
			if !errors.As(err, &damage) || !strings.Contains(err.Error(), want) || damage.Offset == 0 {
				t.Errorf("Recover: %v", err)
			}
		})
	}
}

// TestReadFails: a disk that does not read is no torn end.
func TestReadFails(t *testing.T) {
	disk := journaltest.New()
	j := begin(t, disk, &list{})
	must(t, say(j, "one"))
	after := disk.Crash(nothing)
	j.Close()
	reads := 0
	after.SetFail(func(op, _ string) error {
		if reads++; op == "read" && reads > 3 {
			return syscall.EIO
		}
		return nil
	})
	if _, err := try(after, &list{}); !errors.Is(err, syscall.EIO) {
		t.Errorf("Recover: %v", err)
	}
	after.SetFail(nil)
	expectWords(t, after, "one")
}

// TestReplayFails: an owner's error ends recovery, with the record's place.
func TestReplayFails(t *testing.T) {
	disk := journaltest.New()
	j := begin(t, disk, &list{})
	must(t, say(j, "one"))
	must(t, j.Close())
	j, err := journal.Open("/j", journal.Options{Disk: disk})
	must(t, err)
	defer j.Close()
	err = j.Recover(context.Background())
	if err == nil || !strings.Contains(err.Error(), segmentOne+", batch at offset 64: a record of kind 16, which nobody owns") {
		t.Errorf("Recover: %v", err)
	}
	if err := say(j, "two"); err == nil {
		t.Error("a journal that was not recovered takes records")
	}
}

// TestForeignFiles: what is not ours in the directory is left alone or told of.
func TestForeignFiles(t *testing.T) {
	disk := journaltest.New()
	for _, name := range []string{"/j/README", "/j/0000000007.new"} {
		_, err := disk.Create(name)
		must(t, err)
	}
	j := begin(t, disk, &list{})
	must(t, j.Close())
	names, err := disk.List("/j")
	must(t, err)
	if !slices.Equal(names, []string{"README"}) {
		t.Errorf("the directory holds %q", names)
	}
	_, err = disk.Create("/j/holiday.seg")
	must(t, err)
	if _, err := try(disk, &list{}); err == nil || !strings.Contains(err.Error(), "holiday.seg") {
		t.Errorf("Open: %v", err)
	}
}
