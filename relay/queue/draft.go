package queue

import (
	"context"
	"errors"
	"fmt"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// Draft is a message that is being taken. It is used by one goroutine.
type Draft struct {
	q    *Queue
	id   mail.ID
	w    *journal.BlobWriter
	over bool
}

// Errors of Draft and Commit. What the journal says (journal.ErrFull) is passed
// on as it is.
var (
	ErrStopped = errors.New("queue: stopped; no new messages are taken")
	ErrOver    = errors.New("queue: the draft was committed or discarded already")
	ErrNobody  = errors.New("queue: a submission without recipients")
)

// crowded is how many entries may have their dress in memory before new ones
// are committed with it parked in a blob.
const crowded = 20_000

// Draft begins a message. Its octets go to the journal, and stay in memory
// until Commit where they are few.
func (q *Queue) Draft(id mail.ID) (*Draft, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.phase == stopped {
		return nil, ErrStopped
	}
	return &Draft{q: q, id: id, w: q.j.NewBlob()}, nil
}

// Write takes the next octets of the message.
func (d *Draft) Write(p []byte) (int, error) {
	if d.over {
		return 0, ErrOver
	}
	return d.w.Write(p)
}

// Blob is what was written so far.
func (d *Draft) Blob() mail.Blob { return d.w.Blob() }

// Discard gives the draft up; after Commit it does nothing.
func (d *Draft) Discard() {
	if !d.over {
		d.over = true
		d.w.Discard()
	}
}

// Commit makes the entries durable and returns: now 250 may be said. At an
// error nothing was kept. Without a submission it is Discard. A ctx that ends
// while the disk syncs does not matter any more, since the answer must be true.
func (d *Draft) Commit(ctx context.Context, s ...Submission) error {
	if d.over {
		return ErrOver
	}
	defer d.Discard()
	if err := ctx.Err(); err != nil || len(s) == 0 {
		return err
	}
	var b journal.Batch
	es, envs, err := d.pack(&b, s)
	if err != nil {
		return err
	}
	b.Then(func() { d.q.admit(es) })
	if err := d.q.j.Commit(context.WithoutCancel(ctx), &b); err != nil {
		return fmt.Errorf("queue: the message %s was not kept: %w", d.id, err)
	}
	d.over = true
	d.q.mu.Lock()
	defer d.q.mu.Unlock()
	for i, e := range es {
		d.q.ready(e, &envs[i], e.received)
	}
	return nil
}

// pack puts blob and entries into a batch.
func (d *Draft) pack(b *journal.Batch, s []Submission) ([]*entry, []mail.Envelope, error) {
	es, envs := make([]*entry, len(s)), make([]mail.Envelope, len(s))
	blob := d.w.Blob()
	for i := range s {
		if len(s[i].Envelope.To) == 0 {
			return nil, nil, ErrNobody
		}
		if _, err := mail.NewMessage(s[i].Prefix, s[i].Edits, blob); err != nil {
			return nil, nil, err
		}
		envs[i] = s[i].Envelope
		es[i] = d.entry(uint32(i), &envs[i], &s[i])
	}
	b.AddBlob(d.w)
	for _, e := range es {
		if err := d.q.parkEarly(b, e); err != nil {
			return nil, nil, err
		}
		b.Add(kindEntry, entryRecord(e))
	}
	return es, envs, nil
}

// entry makes the nth entry of the draft; env is the submission's, completed.
func (d *Draft) entry(n uint32, env *mail.Envelope, s *Submission) *entry {
	if env.ID == "" {
		env.ID = d.id
	}
	if env.Received.IsZero() {
		env.Received = d.q.o.Now()
	}
	e := newEntry(key{d.w.ID(), n}, env, &dress{s.Prefix, s.Edits})
	if e.dress.empty() {
		e.dress = nil
	}
	e.refuse(s.Refused)
	if s.Hold {
		e.hold(s.Why)
	}
	return e
}

// parkEarly parks the dress of an entry that will not be attempted soon.
func (q *Queue) parkEarly(b *journal.Batch, e *entry) error {
	q.mu.Lock()
	full := q.dressed >= crowded
	q.mu.Unlock()
	if e.dress == nil || !full && e.rcpts[0].state != Held {
		return nil
	}
	w, err := q.park(b, e.dress)
	if err == nil {
		e.parked, e.dress = w.ID(), nil
	}
	return err
}

// admit takes entries that became durable into the table; it runs on the
// journal's writer. The blob is held once by the batch that took it, and once
// more for each further entry.
func (q *Queue) admit(es []*entry) {
	for _, e := range es[1:] {
		q.j.Hold(e.key.blob)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range es {
		q.insert(e)
	}
}
