package main

import (
	"runtime"
	"testing"
)

// A heap that does not fit under the limit moves it: the collector must not run
// all the time.
func TestMemoryLimitLeavesRoom(t *testing.T) {
	for _, c := range []struct{ live, want int64 }{{0, softMost}, {500 << 20, softMost}, {2 << 30, 3 << 30}} {
		if got := memoryLimit(c.live); got != c.want {
			t.Errorf("%d octets live: the limit is %d, want %d", c.live, got, c.want)
		}
	}
	runtime.GC()
	if n := liveHeap(); n <= 0 {
		t.Errorf("the runtime tells that %d octets live", n)
	}
}
