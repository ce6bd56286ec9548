package queue

import "container/heap"

// timers are the waiting entries, the one that is due first on top.
type timers []*entry

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].next < t[j].next }
func (t timers) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].at, t[j].at = int32(i), int32(j)
}

// Push is heap's; set is ours.
func (t *timers) Push(x any) {
	e := x.(*entry)
	e.at = int32(len(*t))
	*t = append(*t, e)
}

// Pop is heap's; drop is ours.
func (t *timers) Pop() any {
	n := len(*t) - 1
	e := (*t)[n]
	(*t)[n] = nil
	*t = (*t)[:n]
	e.at = -1
	return e
}

// set puts e in for its earliest recipient, or takes it out where none waits.
func (t *timers) set(e *entry) {
	at, waits := e.earliest()
	switch {
	case !waits:
		t.drop(e)
	case e.at < 0:
		e.next = at
		heap.Push(t, e)
	case at != e.next:
		e.next = at
		heap.Fix(t, int(e.at))
	}
}

func (t *timers) drop(e *entry) {
	if e.at >= 0 {
		heap.Remove(t, int(e.at))
	}
}
