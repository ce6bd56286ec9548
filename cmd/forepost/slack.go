package main

import (
	"os"
	"strings"
)

// timerSlack is by how much the kernel may put off a timer of ours, in nanoseconds.
// Go's runtime has a thread that looks after the others, and asks to be woken every
// 20 us while there is work: with the usual slack of 50 us that is a tenth of the
// processor time of a busy relay, for nothing.
const timerSlack = "1000000"

// usualSlack is what the kernel gives who asks for nothing.
const usualSlack = "50000"

// tuneTimers sets the slack of all threads, which those made later inherit, unless
// the operator did. It takes root or CAP_SYS_NICE: the packaged unit has
// TimerSlackNSec= instead, and without either all is well, at more cost.
func tuneTimers() {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return // not Linux, or no /proc
	}
	for _, t := range threads {
		name := "/proc/" + t.Name() + "/timerslack_ns"
		if now, err := os.ReadFile(name); err != nil || strings.TrimSpace(string(now)) != usualSlack {
			continue
		}
		os.WriteFile(name, []byte(timerSlack), 0) // not permitted: as it was
	}
}
