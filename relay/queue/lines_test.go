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

// A line with ten thousand jobs takes its window and no more; the one job of
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
	if _, by := takeAll(ls); by["big"] != firstWindow-1 {
		t.Errorf("big has %d more under way, its window is 5", by["big"])
	}
	ls.done(first, 0, 0)
	if _, by := takeAll(ls); by["big"] != 1 {
		t.Errorf("a place that came free was given %d times", by["big"])
	}
	ls.done(second, 0, 0)
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
			ls.done(j, 0, 0)
		}
	}
	if seen != 500 || ls.running != 0 || len(ls.byKey) != 0 || ls.rings[unknown].length != 0 {
		t.Errorf("seen %d, running %d, lines %d, in the ring %d", seen, ls.running, len(ls.byKey), ls.rings[unknown].length)
	}
}

// Ten thousand destinations whose hosts do not answer, all with full lines,
// have a quarter of the workers; one that answers has the others at once, and
// one that nobody knows yet is not kept waiting by them either.
func TestLinesFailing(t *testing.T) {
	ls := newLines(200, 20)
	for i := range 10_000 {
		ls.put(fmt.Sprint("dead", i), 0, &job{})
		ls.put(fmt.Sprint("dead", i), 0, &job{})
	}
	for i := range 10_000 {
		j := ls.take()
		if j == nil {
			t.Fatalf("no turn after %d", i)
		}
		j.met, j.last = nobody, noLast
		ls.done(j, 1, 2)
	}
	jobs, by := takeAll(ls)
	if len(jobs) != 50 || len(by) != 50 {
		t.Errorf("%d jobs of %d failing lines are under way, not one each of 50", len(jobs), len(by))
	}
	ls.put("fresh", 0, &job{})
	if j := ls.take(); j == nil || j.line.key != "fresh" {
		t.Fatal("the fresh destination waits behind those that fail")
	}
	j := jobs[0]
	j.met = somebody
	ls.done(j, 3, 0)
	if l := j.line; l.class != proven || l.until != 0 || l.fails != 0 {
		t.Errorf("a line that answered again is %+v", l)
	}
	ls.forget(3)
	if n := len(ls.byKey); n != 10_001 {
		t.Errorf("%d lines are remembered while their jobs wait", n)
	}
}

// While every worker but a few is lost to destinations that hang on first
// contact, one that is known to answer still has some.
func TestLinesProven(t *testing.T) {
	ls := newLines(200, 20)
	ls.put("good", 0, &job{met: somebody})
	ls.done(ls.take(), 1, 0)
	for i := range 10_000 {
		ls.put(fmt.Sprint("hangs", i), 0, &job{})
	}
	takeAll(ls)
	for range 12 {
		ls.put("good", 0, &job{met: somebody})
		j := ls.take()
		if j == nil || j.line.key != "good" {
			t.Fatal("the destination that answers waits behind those that hang")
		}
		ls.done(j, 2, 0)
	}
	if ls.forget(2); ls.byKey["good"] == nil {
		t.Error("forgotten at once")
	}
	if ls.forget(3); ls.byKey["good"] != nil {
		t.Error("a line with nothing to do is kept for ever")
	}
}

// Within a line higher priorities go first (RFC 6710), and those behind them have
// one turn of eight, so that they do move.
func TestLinesPriority(t *testing.T) {
	ls := newLines(200, 1)
	for _, p := range []int8{-4, 0, 3} {
		for range 20 {
			ls.put("x", 0, &job{e: &entry{priority: p}})
		}
	}
	order, at := "", map[int8]int{}
	for range 60 {
		j := ls.take()
		at[j.e.priority]++
		order += string(rune('5' + j.e.priority))
		ls.done(j, 0, 0)
	}
	if order[:16] != "8888888188888881" || at[-4] != 20 || at[0] != 20 || at[3] != 20 {
		t.Errorf("turns %s", order)
	}
}
