package queue

import (
	"context"
	"fmt"
	"unique"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail"
)

// What people do to entries, by the ID of their transaction. Each answers how
// many recipients it touched; 0 means that there was nothing to do. Attempts
// under way are never interrupted. Retry apart, what was answered is durable.

// Retry makes waiting recipients due at once.
func (q *Queue) Retry(id mail.ID) int {
	now := millis(q.o.Now())
	n := 0
	for _, e := range q.byID(id) {
		q.mu.Lock()
		for i := range e.rcpts {
			if r := &e.rcpts[i]; r.state == Waiting {
				r.next = now
				n++
			}
		}
		if q.entries[e.key] == e {
			q.timers.set(e)
		}
		q.mu.Unlock()
	}
	q.alarm()
	return n
}

// Hold keeps recipients back until Release.
func (q *Queue) Hold(ctx context.Context, id mail.ID, why string) (int, error) {
	l := unique.Make(last{said: why})
	return q.act(ctx, id, "held", why, func(r *rcpt) bool {
		if r.state != Waiting && r.state != Ready {
			return false
		}
		r.state, r.next, r.last = Held, 0, l
		return true
	})
}

// Release lets held recipients go, at once.
func (q *Queue) Release(ctx context.Context, id mail.ID) (int, error) {
	now := millis(q.o.Now())
	return q.act(ctx, id, "released", "", func(r *rcpt) bool {
		if r.state != Held {
			return false
		}
		r.state, r.next = Waiting, now
		return true
	})
}

// Remove throws recipients away; nobody is told but the trail.
func (q *Queue) Remove(ctx context.Context, id mail.ID, why string) (int, error) {
	return q.act(ctx, id, "removed", why, func(r *rcpt) bool {
		if r.state.settled() || r.state == Active {
			return false
		}
		r.state, r.next = Removed, 0
		return true
	})
}

// byID finds the entries of a transaction.
func (q *Queue) byID(id mail.ID) (es []*entry) {
	for _, e := range q.all() {
		if e.id == id {
			es = append(es, e)
		}
	}
	return es
}

// act changes the recipients of all entries of a transaction in one commit.
func (q *Queue) act(ctx context.Context, id mail.ID, what, why string, change func(*rcpt) bool) (int, error) {
	var b journal.Batch
	var finished []*entry
	var to []mail.Address
	for _, e := range q.byID(id) {
		touched, done := q.alter(&b, e, change)
		to = append(to, touched...)
		if done {
			finished = append(finished, e)
		}
	}
	if len(to) == 0 {
		return 0, nil
	}
	err := q.j.Commit(context.WithoutCancel(ctx), &b)
	for _, e := range finished {
		q.release(e)
	}
	if err != nil {
		return 0, fmt.Errorf("queue: %s is %s now, but may not be after a restart: %w", id, what, err)
	}
	for _, a := range to {
		q.o.Trail.Event(trail.Event{ID: id, Time: q.o.Now(), What: what, To: a.String(), Note: why})
	}
	return len(to), nil
}

// alter changes the recipients of one entry and adds its record.
func (q *Queue) alter(b *journal.Batch, e *entry, change func(*rcpt) bool) (touched []mail.Address, done bool) {
	env, err := decodeEnvelope(e.env)
	if err != nil {
		return nil, false
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.entries[e.key] != e {
		return nil, false
	}
	var is []int32
	for i := range e.rcpts {
		if change(&e.rcpts[i]) {
			is = append(is, int32(i))
			touched = append(touched, env.To[i].Address)
		}
	}
	if len(is) == 0 {
		return nil, false
	}
	if q.resettle(e) {
		b.Add(kindDone, doneRecord(e.key))
		return touched, true
	}
	b.Add(kindProgress, progressRecord(e, e.rcpts, e.parked, is))
	return touched, false
}
