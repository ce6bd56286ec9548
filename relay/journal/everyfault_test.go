package journal_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
)

// changing are the operations of a disk that may fail while something is written.
var changing = []string{"create", "rename", "remove", "syncdir", "write", "allocate", "truncate", "sync"}

// days is a piece of life with all that a journal does: messages small and large come,
// change and go over several segments, in between space is given back, and it is opened
// and closed twice.
func (k *keeper) days(disk *journaltest.Disk) {
	for range 2 {
		if err := k.open(disk); err != nil {
			if k.j != nil {
				k.j.Close()
			}
			return
		}
		for i := range 14 {
			for range 3 {
				k.birth() // what it was told is in k.said
			}
			k.change(i)
			k.death(i)
			k.death(i + 1)
			if i%5 == 4 {
				k.j.Compact(context.Background())
			}
		}
		k.j.Close()
	}
}

// TestEveryFault (threats: silent loss): each operation of the disk fails in its turn,
// once or from then on, with EIO and with ENOSPC, be it a write, a sync, a new segment,
// a renaming or a truncation, while compaction goes on. What was acknowledged is there
// afterwards, whatever of the rest got to the disk; nothing is there by half; and after
// ENOSPC the journal goes on by itself. It is a sample of each 29th operation, unless
// FOREPOST_FAULTS is set (a minute of the processor's).
func TestEveryFault(t *testing.T) {
	total, seen := 0, map[string]int{}
	quiet := journaltest.New()
	quiet.SetFail(func(op, _ string) error {
		if slices.Contains(changing, op) {
			total++
			seen[op]++
		}
		return nil
	})
	(&keeper{said: map[int]*promise{}}).days(quiet)
	for _, op := range changing {
		if seen[op] == 0 {
			t.Errorf("the days have no %s to fail: %v", op, seen)
		}
	}
	step := 29
	if os.Getenv("FOREPOST_FAULTS") != "" {
		step = 1
	}
	for at := 0; at < total; at += step {
		for _, errno := range []syscall.Errno{syscall.EIO, syscall.ENOSPC} {
			for _, forever := range []bool{false, true} {
				oneFault(t, at, errno, forever)
			}
		}
	}
	t.Logf("of %d operations each %dth failed in its turn: %v", total, step, seen)
}

func oneFault(t *testing.T, at int, errno syscall.Errno, forever bool) {
	disk, n, what := journaltest.New(), 0, ""
	disk.SetFail(func(op, _ string) error {
		if !slices.Contains(changing, op) {
			return nil
		}
		if n++; n-1 == at || forever && n > at {
			if what == "" {
				what = fmt.Sprintf("%s %d, %v, for ever %v", op, at, errno, forever)
			}
			return errno
		}
		return nil
	})
	k := &keeper{said: map[int]*promise{}}
	k.days(disk)
	f := where{t, what}
	if errno == syscall.ENOSPC && forever {
		f.recovers(disk)
	}
	fate := rand.New(rand.NewPCG(uint64(at), uint64(errno)))
	after := disk.Crash(fate.IntN)
	k.start(f, after)
	if err := k.birth(); err != nil {
		f.Fatalf("afterwards: %v", err)
	}
	k.j.Close()
}

// recovers: once the disk has room, a journal that was open all the time takes new
// records.
func (f where) recovers(disk *journaltest.Disk) {
	k := &keeper{said: map[int]*promise{}}
	full := true
	other := journaltest.New()
	other.SetFail(func(op, _ string) error {
		if full && (op == "create" || op == "write" || op == "allocate") {
			return syscall.ENOSPC
		}
		return nil
	})
	if err := k.open(other); err != nil {
		f.Fatalf("open: %v", err)
	}
	if err := k.birth(); !errors.Is(err, journal.ErrFull) {
		f.Fatalf("on a full disk: %v", err)
	}
	full = false
	if err := k.birth(); err != nil {
		f.Fatalf("with room again: %v", err)
	}
	k.j.Close()
}

// where tells at which fault a check failed.
type where struct {
	t    *testing.T
	what string
}

// Fatalf ends the test.
func (f where) Fatalf(format string, args ...any) {
	f.t.Helper()
	f.t.Fatalf("%s: "+format, append([]any{f.what}, args...)...)
}
