package queue

import (
	"errors"
	"fmt"
	"io"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// Parking keeps a million waiting entries small: the fields on top of a message
// and its edits are most of what an entry weighs and are asked for at attempts
// only, so at the first deferral they go into a blob of their own.

// park adds a blob with the dress to b.
func (q *Queue) park(b *journal.Batch, s *dress) (*journal.BlobWriter, error) {
	w := q.j.NewBlob()
	if _, err := w.Write(encodeDress(s)); err != nil {
		w.Discard()
		return nil, fmt.Errorf("queue: keeping the added fields: %w", err)
	}
	b.AddBlob(w)
	return w, nil
}

// parkedAt drops the dress from memory. The caller holds mu.
func (q *Queue) parkedAt(e *entry, id journal.BlobID) {
	if e.dress != nil && q.entries[e.key] == e {
		q.dressed--
	}
	e.parked, e.dress = id, nil
}

// parkLate parks the dress of an entry that has to wait, with the record that
// says so. The answer is the blob, 0 for none, and what is to be called when the
// batch was kept or not.
func (q *Queue) parkLate(b *journal.Batch, e *entry, cs []change) (journal.BlobID, func(error)) {
	nothing := func(error) {}
	if !waits(cs) {
		return 0, nothing
	}
	q.mu.Lock()
	s := e.dress
	if s == nil || e.parking {
		q.mu.Unlock()
		return 0, nothing
	}
	e.parking = true
	q.mu.Unlock()
	w, err := q.park(b, s)
	if err != nil { // a full disk: it stays in memory
		q.mu.Lock()
		e.parking = false
		q.mu.Unlock()
		return 0, nothing
	}
	b.Then(func() { q.parkDone(e, w.ID()) })
	return w.ID(), func(err error) { q.parkFailed(e, w, err) }
}

// parkFailed leaves the dress in memory, if there was an error.
func (q *Queue) parkFailed(e *entry, w *journal.BlobWriter, err error) {
	if err == nil {
		return
	}
	w.Discard()
	q.mu.Lock()
	defer q.mu.Unlock()
	e.parking = false
}

// waits tells whether any of the changes leaves its recipient in the queue.
func waits(cs []change) bool {
	for i := range cs {
		if !cs[i].rcpt.state.settled() {
			return true
		}
	}
	return false
}

// parkDone runs when the dress lies in its blob, which is held once.
func (q *Queue) parkDone(e *entry, id journal.BlobID) {
	q.mu.Lock()
	alive := q.entries[e.key] == e
	if alive {
		q.parkedAt(e, id)
	}
	q.mu.Unlock()
	if !alive { // finished meanwhile
		q.j.Release(id)
	}
}

// unpark reads a dress back.
func (q *Queue) unpark(id journal.BlobID) (*dress, error) {
	blob, err := q.j.Blob(id)
	if err != nil {
		return nil, err
	}
	r, err := blob.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return decodeDress(b)
}

// dressOf finds the dress, wherever it is.
func (q *Queue) dressOf(e *entry) (*dress, error) {
	for range 2 { // a second time where it was parked just now
		q.mu.Lock()
		s, parked := e.dress, e.parked
		q.mu.Unlock()
		if s != nil {
			return s, nil
		}
		if parked == 0 {
			return &dress{}, nil
		}
		s, err := q.unpark(parked)
		if err == nil || !errors.Is(err, journal.ErrNoBlob) {
			return s, err
		}
	}
	return nil, journal.ErrNoBlob
}

// message is the message of an entry as it goes out.
func (q *Queue) message(e *entry) (*mail.Message, error) {
	s, err := q.dressOf(e)
	if err != nil {
		return nil, fmt.Errorf("the added fields cannot be read: %w", err)
	}
	blob, err := q.j.Blob(e.key.blob)
	if err != nil {
		return nil, fmt.Errorf("the message cannot be read: %w", err)
	}
	return &mail.Message{Prefix: s.prefix, Edits: s.edits, Blob: blob}, nil
}
