package main

import (
	"os"
	"strings"
	"testing"
)

// The thread of Go's runtime that would wake thousands of times a second is among those
// that are set; what the operator chose stays.
func TestTuneTimers(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may set other threads' slack")
	}
	read := func(thread string) string {
		b, err := os.ReadFile("/proc/" + thread + "/timerslack_ns")
		if err != nil {
			return "" // it has ended
		}
		return strings.TrimSpace(string(b))
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	own := threads[len(threads)-1].Name()
	if err := os.WriteFile("/proc/"+own+"/timerslack_ns", []byte("70000"), 0); err != nil {
		t.Skipf("not permitted: %v", err)
	}
	tuneTimers()
	set := 0
	for _, thread := range threads {
		switch got := read(thread.Name()); {
		case thread.Name() == own && got != "" && got != "70000":
			t.Errorf("what was chosen became %s", got)
		case thread.Name() != own && got != "" && got != timerSlack:
			t.Errorf("thread %s has %s", thread.Name(), got)
		case got == timerSlack:
			set++
		}
	}
	if len(threads) > 1 && set == 0 {
		t.Error("no thread was set")
	}
}
