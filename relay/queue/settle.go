package queue

import (
	"context"

	"github.com/forepost/forepost/relay/journal"
)

// settleQuietly applies changes and appends their record without waiting: what
// a power cut takes back of it is done again.
func (q *Queue) settleQuietly(e *entry, cs []change) {
	var b journal.Batch
	parked, abandon := q.parkLate(&b, e, cs)
	q.mu.Lock()
	applied, finished := q.apply(e, cs)
	var record []byte
	kind := kindProgress
	switch {
	case finished:
		kind, record = kindDone, doneRecord(e.key)
	case applied:
		record = progressRecord(e, e.rcpts, max(parked, e.parked), indices(cs))
	}
	q.mu.Unlock()
	if record == nil {
		abandon(journal.ErrClosed)
		return
	}
	b.Add(kind, record)
	if finished {
		abandon = func(err error) { q.owe(e.key, err) }
	}
	q.j.Append(&b, abandon)
	if finished {
		q.release(e)
	}
}

// owe remembers a done record that a full disk did not take: without it the
// message would be delivered once more after a restart.
func (q *Queue) owe(k key, err error) {
	if err == nil {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.owed = append(q.owed, k)
}

// pay appends what is owed.
func (q *Queue) pay() {
	q.mu.Lock()
	owed := q.owed
	q.owed = nil
	q.mu.Unlock()
	for _, k := range owed {
		q.finish(k)
	}
}

// finish appends a done record.
func (q *Queue) finish(k key) {
	var b journal.Batch
	b.Add(kindDone, doneRecord(k))
	q.j.Append(&b, func(err error) { q.owe(k, err) })
}

// apply makes the changes count, and tells whether there was somebody to apply
// them to and whether the entry is finished by them. The caller holds mu.
func (q *Queue) apply(e *entry, cs []change) (applied, finished bool) {
	if q.entries[e.key] != e {
		return false, false // removed by a person meanwhile
	}
	for i := range cs {
		r := &e.rcpts[cs[i].To]
		if r.state != Active && r.state != Ready {
			continue // held by a person on its way to the line
		}
		*r = cs[i].rcpt
	}
	return true, q.resettle(e)
}

func indices(cs []change) []int32 {
	to := make([]int32, len(cs))
	for i := range cs {
		to[i] = int32(cs[i].To)
	}
	return to
}

// settleReported commits reports and changes together, so that a bounced
// recipient is never marked without its DSN, nor reported twice.
func (q *Queue) settleReported(e *entry, cs []change, reports []*report) error {
	var b journal.Batch
	for _, r := range reports {
		b.AddBlob(r.draft.w)
		b.Add(kindEntry, entryRecord(r.entry))
	}
	last := q.foretell(&b, e, cs)
	var finished bool
	b.Then(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		_, finished = q.apply(e, cs)
		for _, r := range reports {
			q.insert(r.entry)
		}
	})
	if err := q.j.Commit(context.Background(), &b); err != nil {
		for _, r := range reports {
			r.draft.Discard()
		}
		return err
	}
	q.afterReported(e, reports, finished, last)
	return nil
}

// foretell adds the record of the changes before they are applied, and tells
// whether it was the entry's last.
func (q *Queue) foretell(b *journal.Batch, e *entry, cs []change) (last bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	rs := append([]rcpt(nil), e.rcpts...)
	for i := range cs {
		rs[cs[i].To] = cs[i].rcpt
	}
	last = true
	for i := range rs {
		last = last && rs[i].state.settled()
	}
	if last {
		b.Add(kindDone, doneRecord(e.key))
	} else {
		b.Add(kindProgress, progressRecord(e, rs, e.parked, indices(cs)))
	}
	return last
}

// afterReported begins to deliver the reports. If the rest of the entry was
// settled by another job while the commit was under way, its end is still to
// be written.
func (q *Queue) afterReported(e *entry, reports []*report, finished, last bool) {
	if finished {
		if !last {
			q.finish(e.key)
		}
		q.release(e)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, r := range reports {
		r.draft.over = true
		q.ready(r.entry, &r.env, r.entry.received)
	}
}
