package queue

import (
	"context"
	"errors"
	"fmt"
	"unique"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/trail"
)

// What people do to the recipients that a Filter chooses. Each answers how many
// it touched; 0 means that there was nothing to do. Attempts under way are never
// interrupted. Retry apart, what was answered is durable.

// Retry makes waiting recipients due at once, and has destinations that did not
// answer tried again.
func (q *Queue) Retry(f Filter) int {
	now := millis(q.o.Now())
	n := 0
	q.mu.Lock()
	for _, l := range q.lines.byKey {
		l.until, l.fails = 0, min(l.fails, 1)
	}
	q.mu.Unlock()
	q.each(&f, func(e *entry, _ *Info, to []int32) {
		q.mu.Lock()
		defer q.mu.Unlock()
		for _, i := range to {
			if r := &e.rcpts[i]; r.state == Waiting {
				r.next = now
				n++
			}
		}
		if q.entries[e.key] == e {
			q.timers.set(e)
		}
	})
	q.alarm()
	return n
}

// Hold keeps recipients back until Release.
func (q *Queue) Hold(ctx context.Context, f Filter, why string) (int, error) {
	l := unique.Make(last{said: why})
	return q.act(ctx, f, "held", why, func(r *rcpt) bool {
		if r.state != Waiting && r.state != Ready || r.last.Value().doomed {
			return false // what is to be returned is not to come back as if it were to be delivered
		}
		r.state, r.next, r.last = Held, 0, l
		return true
	})
}

// Release lets held recipients go, at once.
func (q *Queue) Release(ctx context.Context, f Filter) (int, error) {
	now := millis(q.o.Now())
	return q.act(ctx, f, "released", "", func(r *rcpt) bool {
		if r.state != Held {
			return false
		}
		r.state, r.next = Waiting, now
		return true
	})
}

// Remove throws recipients away; nobody is told but the trail.
func (q *Queue) Remove(ctx context.Context, f Filter, why string) (int, error) {
	return q.act(ctx, f, "removed", why, func(r *rcpt) bool {
		if r.state.settled() || r.state == Active {
			return false
		}
		r.state, r.next = Removed, 0
		return true
	})
}

// deed is a set of changes that are committed together.
type deed struct {
	batch    journal.Batch
	finished []*entry
	events   []trail.Event
}

// deedLen is how many recipients are changed in one commit.
const deedLen = 1000

// act changes the recipients that f chooses.
func (q *Queue) act(ctx context.Context, f Filter, what, why string, change func(*rcpt) bool) (n int, err error) {
	d := &deed{}
	f.Settle = false
	q.each(&f, func(e *entry, in *Info, to []int32) {
		for _, i := range q.alter(d, e, to, change) {
			d.events = append(d.events, trail.Event{
				ID: e.id(), Time: q.o.Now(), What: what, To: in.Envelope.To[i].Address.String(), Note: why,
			})
		}
		if len(d.events) >= deedLen {
			n, err = n+len(d.events), errors.Join(err, q.conclude(ctx, d))
			d = &deed{}
		}
	})
	return n + len(d.events), errors.Join(err, q.conclude(ctx, d))
}

// conclude commits what was changed in memory.
func (q *Queue) conclude(ctx context.Context, d *deed) error {
	if len(d.events) == 0 {
		return nil
	}
	err := q.j.Commit(context.WithoutCancel(ctx), &d.batch)
	for _, e := range d.finished {
		q.release(e)
	}
	for _, ev := range d.events {
		q.o.Trail.Event(ev)
	}
	if err != nil {
		return fmt.Errorf("queue: it is done, but may be undone by a restart: %w", err)
	}
	return nil
}

// alter changes recipients of one entry, adds its record, and returns those that
// were changed.
func (q *Queue) alter(d *deed, e *entry, to []int32, change func(*rcpt) bool) (is []int32) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.entries[e.key] != e {
		return nil
	}
	for _, i := range to {
		if change(&e.rcpts[i]) {
			is = append(is, i)
		}
	}
	if len(is) == 0 {
		return nil
	}
	if q.resettle(e) {
		d.batch.Add(kindDone, doneRecord(e.key))
		d.finished = append(d.finished, e)
		return is
	}
	d.batch.Add(kindProgress, progressRecord(e, e.rcpts, e.parked, is))
	return is
}
