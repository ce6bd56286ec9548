package queue

import (
	"fmt"
	"testing"
)

// take everything that may run, and count it by line.
func takeAll(ls *lines) (jobs []*job, by map[string]int) {
	by = map[string]int{}
	for j := ls.take(); j != nil; j = ls.take() {
		jobs = append(jobs, j)
		by[j.line.key]++
	}
	return jobs, by
}

// A line with ten thousand jobs takes its limit and no more; the one job of
// another gets its turn at once.
func TestLinesFairTurns(t *testing.T) {
	ls := newLines(200, 20)
	for range 10_000 {
		ls.put("big", 0, &job{})
	}
	ls.put("small", 0, &job{})
	first, second := ls.take(), ls.take()
	if first.line.key != "big" || second.line.key != "small" {
		t.Errorf("turns: %s, %s", first.line.key, second.line.key)
	}
	if _, by := takeAll(ls); by["big"] != 19 {
		t.Errorf("big has %d more under way, its limit is 20", by["big"])
	}
	ls.done(first)
	if _, by := takeAll(ls); by["big"] != 1 {
		t.Errorf("a place that came free was given %d times", by["big"])
	}
	ls.done(second)
	if ls.byKey["small"] != nil {
		t.Error("a line with nothing to do is kept")
	}
}

// Fifty destinations hang with full lines. A fifty-first must still find a
// worker: this is what the reserve is for.
func TestLinesReserve(t *testing.T) {
	ls := newLines(200, 20)
	for i := range 50 {
		for range 100 {
			ls.put(fmt.Sprint("stuck", i), 0, &job{})
		}
	}
	takeAll(ls)
	if ls.running >= ls.workers {
		t.Fatalf("all %d workers hang", ls.running)
	}
	ls.put("fresh", 0, &job{})
	j := ls.take()
	if j == nil || j.line.key != "fresh" {
		t.Fatal("the fresh destination waits behind those that hang")
	}
}

// Whatever is put in comes out once, in the order of its line, and the counts
// end at zero.
func TestLinesNothingLost(t *testing.T) {
	ls := newLines(7, 3)
	seen, last := 0, map[string]int{}
	for i := range 500 {
		ls.put(fmt.Sprint(i%11), 0, &job{to: []int32{int32(i)}})
	}
	for ls.waiting > 0 {
		jobs, _ := takeAll(ls)
		if len(jobs) == 0 {
			t.Fatalf("%d jobs wait and none may run", ls.waiting)
		}
		for _, j := range jobs {
			if n := int(j.to[0]); n < last[j.line.key] {
				t.Errorf("line %s: %d after %d", j.line.key, n, last[j.line.key])
			} else {
				last[j.line.key] = n
			}
			seen++
			ls.done(j)
		}
	}
	if seen != 500 || ls.running != 0 || len(ls.byKey) != 0 || ls.ringed != 0 {
		t.Errorf("seen %d, running %d, lines %d, in the ring %d", seen, ls.running, len(ls.byKey), ls.ringed)
	}
}
