package journal_test

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
)

// salvaged copies /j to /new on the same disk and recovers that.
func salvaged(t *testing.T, disk *journaltest.Disk) (journal.Salvaged, []string, *journal.Journal) {
	t.Helper()
	got, err := journal.Salvage(context.Background(), "/j", "/new", disk)
	must(t, err)
	l := &list{}
	j, err := journal.Open("/new", journal.Options{Disk: disk, SegmentSize: 64 << 10})
	must(t, err)
	j.Register(l, journal.KindQueue)
	must(t, j.Recover(context.Background()))
	t.Cleanup(func() { j.Close() })
	return got, l.words, j
}

// TestSalvage: whatever one change does to a file, all other records are copied, the
// loss is told with its place, and the damaged journal is as it was.
func TestSalvage(t *testing.T) {
	flip := func(word string, back int) func([]byte) []byte {
		return func(d []byte) []byte { d[bytes.Index(d, []byte(word))-back] ^= 1; return d }
	}
	for name, c := range map[string]struct {
		change func([]byte) []byte
		want   string // words
		why    string
	}{
		"nothing":             {func(d []byte) []byte { return d }, "first middle last second", ""},
		"a record":            {flip("middle", 0), "first last second", "checksum of a frame's payload"},
		"the head of a frame": {flip("middle", 40), "first last second", "checksum of a frame's head"},
		"the segment's head":  {func(d []byte) []byte { d[20] ^= 1; return d }, "first middle last second", "checksum of a frame's head"},
		"cut":                 {func(d []byte) []byte { return d[:bytes.Index(d, []byte("last"))] }, "first middle second", "ends within a frame"},
		"zeros in the middle": {func(d []byte) []byte { i := bytes.Index(d, []byte("middle")); clear(d[i-48 : i]); return d }, "first last second", "frame"},
		"all zeros":           {func(d []byte) []byte { clear(d); return d }, "second", ""},
		"another version": {func(d []byte) []byte {
			for i := 0; i+48 < len(d); i++ {
				if string(d[i:i+3]) == "FPJ" {
					d[i+3] = 9
				}
			}
			return d
		}, "second", "head"},
	} {
		t.Run(name, func(t *testing.T) {
			disk := journaltest.New()
			for _, words := range [][]string{{"first", "middle", "last"}, {"second"}} {
				j := begin(t, disk, &list{})
				for _, w := range words {
					must(t, say(j, w))
				}
				must(t, j.Close())
			}
			spoil(t, disk, segmentOne, c.change)
			before := octets(t, disk, segmentOne)
			got, words, j := salvaged(t, disk)
			if strings.Join(words, " ") != c.want {
				t.Errorf("recovered %q, want %q", words, c.want)
			}
			switch {
			case c.why == "" && name != "all zeros":
				if len(got.Lost) != 0 {
					t.Errorf("lost of a whole journal: %+v", got.Lost)
				}
			case c.why != "" && (len(got.Lost) != 1 || !strings.Contains(got.Lost[0].Why, c.why) || got.Lost[0].File != segmentOne || got.Lost[0].Octets == 0):
				t.Errorf("lost %+v", got.Lost)
			}
			if !bytes.Equal(before, octets(t, disk, segmentOne)) {
				t.Error("the damaged file was changed")
			}
			must(t, say(j, "goes on"))
		})
	}
}

func octets(t *testing.T, disk *journaltest.Disk, name string) []byte {
	t.Helper()
	f, err := disk.Open(name)
	must(t, err)
	size, err := f.Size()
	must(t, err)
	data := make([]byte, size)
	_, err = f.ReadAt(data, 0)
	must(t, err)
	return data
}

// TestSalvageBlob: a blob that is lost is missing where a record holds it, its name is
// never given again, and the blobs around it are whole.
func TestSalvageBlob(t *testing.T) {
	disk := journaltest.New()
	j := begin(t, disk, &list{})
	var ids []journal.BlobID
	for i := range 3 {
		ids = append(ids, put(t, j, fmt.Sprint("message ", i), bytes.Repeat([]byte{byte('a' + i)}, 5000)))
	}
	must(t, j.Close())
	spoil(t, disk, segmentOne, func(d []byte) []byte { d[bytes.Index(d, []byte("bbbb"))+100] ^= 1; return d })
	got, err := journal.Salvage(context.Background(), "/j", "/new", disk)
	must(t, err)
	if len(got.Lost) != 1 || !strings.Contains(got.Lost[0].Why, fmt.Sprintf("blob %d", ids[1])) || got.Lost[0].Torn {
		t.Errorf("lost %+v", got.Lost)
	}
	l := &list{}
	j2, err := journal.Open("/new", journal.Options{Disk: disk, SegmentSize: 64 << 10})
	must(t, err)
	l.hold = func(word string) { j2.Hold(ids[word[len(word)-1]-'0']) }
	j2.Register(l, journal.KindQueue)
	must(t, j2.Recover(context.Background()))
	defer j2.Close()
	if !slices.Equal(j2.Missing(), ids[1:2]) {
		t.Errorf("missing %v, want %v", j2.Missing(), ids[1:2])
	}
	for _, i := range []int{0, 2} {
		b, err := j2.Blob(ids[i])
		must(t, err)
		if string(read(t, b)) != strings.Repeat(string(rune('a'+i)), 5000) {
			t.Errorf("blob %d is not what it was", i)
		}
	}
	if id := put(t, j2, "message 3", []byte("new")); slices.Contains(ids, id) {
		t.Errorf("the name %d was given again", id)
	}
}

// TestSalvageRefuses: what cannot be salvaged is told, and nothing is mixed up.
func TestSalvageRefuses(t *testing.T) {
	disk := journaltest.New()
	must(t, disk.MkdirAll("/j"))
	_, err := journal.Salvage(context.Background(), "/j", "/new", disk)
	if err == nil || !strings.Contains(err.Error(), "no segments") {
		t.Errorf("an empty directory: %v", err)
	}
	j := begin(t, disk, &list{})
	must(t, say(j, "x"))
	if _, err := journal.Salvage(context.Background(), "/j", "/new", disk); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a journal that is open: %v", err)
	}
	must(t, j.Close())
	if _, err := journal.Salvage(context.Background(), "/j", "/j", disk); err == nil {
		t.Error("a journal into itself")
	}
	disk.SetFail(func(op, name string) error {
		if op == "write" && strings.HasPrefix(name, "/new") {
			return syscall.ENOSPC
		}
		return nil
	})
	if _, err := journal.Salvage(context.Background(), "/j", "/new", disk); err == nil || !strings.Contains(err.Error(), segmentOne) {
		t.Errorf("a full disk: %v", err)
	}
}
