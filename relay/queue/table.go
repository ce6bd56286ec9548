package queue

import (
	"cmp"
	"container/heap"
	"slices"

	"github.com/forepost/forepost/relay/journal"
)

// insert makes e known. The caller holds mu.
func (q *Queue) insert(e *entry) {
	q.entries[e.key] = e
	e.prev, e.succ = q.newest, nil
	if q.newest == nil {
		q.oldest = e
	} else {
		q.newest.succ = e
	}
	q.newest = e
	q.count(e)
}

// count counts an entry that is new in the table.
func (q *Queue) count(e *entry) {
	if e.dress != nil {
		q.dressed++
	}
	e.held = false
	q.countHeld(e)
}

// resettle brings the table up to date with the states of e's recipients, and
// tells whether the entry is finished: it is out of the table then. The caller
// holds mu.
func (q *Queue) resettle(e *entry) (finished bool) {
	e.recount()
	q.countHeld(e)
	if e.left == 0 {
		q.remove(e)
		return true
	}
	if q.timers.set(e); e.at == 0 {
		q.alarm()
	}
	return false
}

// countHeld keeps the number of entries with a held recipient.
func (q *Queue) countHeld(e *entry) {
	was := e.held
	e.held = false
	for i := range e.rcpts {
		e.held = e.held || e.rcpts[i].state == Held
	}
	switch {
	case e.held && !was:
		q.held++
	case was && !e.held:
		q.held--
	}
}

// remove forgets e. The caller holds mu, and releases the blobs afterwards.
func (q *Queue) remove(e *entry) {
	if q.entries[e.key] != e {
		return
	}
	delete(q.entries, e.key)
	q.timers.drop(e)
	if e.prev == nil {
		q.oldest = e.succ
	} else {
		e.prev.succ = e.succ
	}
	if e.succ == nil {
		q.newest = e.prev
	} else {
		e.succ.prev = e.prev
	}
	if e.dress != nil {
		q.dressed--
	}
	if e.held {
		q.held--
	}
}

// release gives up what e held in the journal, once it is out of the table and
// its done record is on its way: the journal keeps the order.
func (q *Queue) release(e *entry) {
	q.mu.Lock()
	parked := e.parked
	q.mu.Unlock()
	q.drop(e.key.blob, parked)
}

func (q *Queue) drop(blobs ...journal.BlobID) {
	for _, id := range blobs {
		if id != 0 {
			q.j.Release(id)
		}
	}
}

// adopt puts what Recover found in order of age, which compaction disturbs,
// and begins to wait for it. The caller holds mu.
func (q *Queue) adopt() {
	q.forgetEmpty()
	all := make([]*entry, 0, len(q.entries))
	for e := q.oldest; e != nil; e = e.succ { // the records' order, nearly always that of age
		all = append(all, e)
	}
	byAge := func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.received, b.received), cmp.Compare(a.key.blob, b.key.blob))
	}
	slices.SortFunc(all, byAge)
	var before *entry
	q.oldest, q.newest, q.dressed, q.held = nil, nil, 0, 0
	q.timers = slices.Grow(q.timers, len(all))
	for _, e := range all {
		if e.prev = before; before == nil {
			q.oldest = e
		} else {
			before.succ = e
		}
		e.succ, before = nil, e
		q.count(e)
		if at, waits := e.earliest(); waits && e.at < 0 { // what was committed before Start is Ready, and in line
			e.next = at
			q.timers.Push(e)
		}
	}
	q.newest = before
	heap.Init(&q.timers)
}

// forgetEmpty drops entries whose octets have gone. Blobs are given back after the
// last recipient was settled, so only the record that said so is missing: a full
// disk and then a crash. The caller holds mu.
func (q *Queue) forgetEmpty() {
	missing := map[journal.BlobID]bool{}
	for _, id := range q.j.Missing() {
		missing[id] = true
	}
	if len(missing) == 0 {
		return
	}
	for e := q.oldest; e != nil; e = e.succ {
		if missing[e.key.blob] {
			q.log.Warn("a message without its octets was settled before the restart; forgotten", "id", e.id())
			q.remove(e)
			q.owed = append(q.owed, e.key)
		}
	}
}
