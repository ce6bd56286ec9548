// Package metertest measures in tests what does not depend on who else uses the
// machine.
package metertest

import (
	"syscall"
	"testing"
	"time"
)

// CPU runs f and tells the processor time, user and system, that this process
// used meanwhile. A test that wants to know whether work grows with the square
// of its input asks this: the clock tells as much about the neighbours. It is
// not for tests that run in parallel with others of their package.
func CPU(tb testing.TB, f func()) time.Duration {
	tb.Helper()
	before := used(tb)
	f()
	return used(tb) - before
}

// Least is the least that f needed in up to tries runs; it stops at the first
// that is within most.
func Least(tb testing.TB, most time.Duration, tries int, f func()) time.Duration {
	tb.Helper()
	least := time.Duration(1<<63 - 1)
	for range tries {
		if least = min(least, CPU(tb, f)); least <= most {
			break
		}
	}
	return least
}

func used(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
