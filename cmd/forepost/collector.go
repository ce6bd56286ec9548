package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// What the garbage collector may take. While there is little, memory is cheaper
// than collecting; a million waiting messages live in half a GiB, which Go's own
// rule would let grow to twice that and more before it collects.
const (
	roomy    = 400       // GOGC: so much garbage, in per cent of what lives
	softMost = 832 << 20 // octets: beyond it the collector works harder
)

// tuneCollector sets the collector up, unless the operator did with GOGC or
// GOMEMLIMIT, and has it follow what lives until ctx ends.
func tuneCollector(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetGCPercent(roomy)
	debug.SetMemoryLimit(softMost)
	go func() {
		t := time.NewTicker(time.Second)
		defer t.Stop()
		for {
			select {
			case <-t.C:
				debug.SetMemoryLimit(memoryLimit(liveHeap()))
			case <-ctx.Done():
				return
			}
		}
	}()
}

// memoryLimit leaves room for garbage whatever lives: a collector that is to keep
// a limit below what it has to keep does nothing else any more.
func memoryLimit(live int64) int64 { return max(softMost, live+live/2) }

// liveHeap is what the last collection found to live, in octets.
func liveHeap() int64 {
	s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(s)
	if s[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(s[0].Value.Uint64())
}
