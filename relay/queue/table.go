package queue

import (
	"cmp"
	"container/heap"
	"errors"
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
	all := make([]*entry, 0, len(q.entries))
	for _, e := range q.entries {
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *entry) int {
		return cmp.Or(cmp.Compare(a.received, b.received), cmp.Compare(a.key.blob, b.key.blob))
	})
	q.oldest, q.newest, q.dressed, q.held = nil, nil, 0, 0
	q.timers = slices.Grow(q.timers, len(all))
	for _, e := range all {
		if _, err := q.j.Blob(e.key.blob); errors.Is(err, journal.ErrNoBlob) {
			// Blobs are given back after the last recipient was settled, so only the
			// record that said so is missing: a full disk and then a crash.
			q.log.Warn("a message without its octets was settled before the restart; forgotten", "id", e.id)
			delete(q.entries, e.key)
			q.owed = append(q.owed, e.key)
			continue
		}
		q.insert(e)
		if at, waits := e.earliest(); waits && e.at < 0 { // what was committed before Start is Ready, and in line
			e.next = at
			q.timers.Push(e)
		}
	}
	heap.Init(&q.timers)
}
