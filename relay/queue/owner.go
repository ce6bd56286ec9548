package queue

import (
	"github.com/forepost/forepost/relay/journal"
)

var _ journal.Owner = (*Queue)(nil)

// Replay takes a record back in. States are whole, so that a record replayed
// twice, or after a newer copy of its entry, does no harm; a record of an entry
// that is not known is one of an entry that was finished.
func (q *Queue) Replay(k journal.Kind, data []byte) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch k {
	case kindEntry:
		return q.replayEntry(data)
	case kindProgress:
		return q.replayProgress(data)
	case kindPause:
		p, ended, err := decodePause(data)
		if err == nil {
			q.applyPause(p, ended)
		}
		return err
	}
	return q.replayDone(data)
}

func (q *Queue) replayEntry(data []byte) error {
	e, err := decodeEntry(data, q.lasts)
	if err != nil {
		return err
	}
	if old := q.entries[e.key]; old != nil { // a later copy, made by Rewrite
		q.remove(old)
		defer q.drop(old.key.blob, old.parked)
	}
	if e.left == 0 {
		return nil
	}
	q.j.Hold(e.key.blob)
	if e.parked != 0 {
		q.j.Hold(e.parked)
	}
	q.insert(e)
	return nil
}

func (q *Queue) replayProgress(data []byte) error {
	d := decoder{b: data, known: q.lasts}
	e := q.entries[d.head()]
	if e == nil {
		return d.err()
	}
	if parked := journal.BlobID(d.uint()); parked != e.parked && parked != 0 {
		q.j.Hold(parked)
		q.parkedAt(e, parked)
	}
	d.rcpts(e)
	return d.err()
}

func (q *Queue) replayDone(data []byte) error {
	d := decoder{b: data}
	if e := q.entries[d.head()]; e != nil {
		q.remove(e)
		q.drop(e.key.blob, e.parked)
	}
	return d.err()
}

// Rewrite copies what lives, in its present state. A progress record gives one
// of its own length at most, so that compaction never makes more of them; it is
// left behind where a later attempt has its recipients in a later record.
func (q *Queue) Rewrite(k journal.Kind, data []byte, b *journal.Batch) error {
	if k == kindPause {
		q.mu.Lock()
		defer q.mu.Unlock()
		return q.rewritePause(data, b)
	}
	d := decoder{b: data}
	id := d.head()
	if d.bad {
		return errRecord
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	e := q.entries[id]
	switch {
	case e == nil || k == kindDone:
	case k == kindEntry:
		b.Add(kindEntry, entryRecord(e))
	default:
		d.uint() // where the dress was parked
		if to := d.current(e); len(to) > 0 {
			b.Add(kindProgress, progressRecord(e, e.rcpts, e.parked, to))
		}
		return d.err()
	}
	return nil
}

// current are the recipients of a progress record that no later one is about.
func (d *decoder) current(e *entry) (to []int32) {
	for n := d.count(); n > 0; n-- {
		i, r := d.uint(), rcpt{}
		if r = d.rcpt(); d.bad || i >= uint64(len(e.rcpts)) {
			d.fail()
			return nil
		}
		if r.attempts >= e.rcpts[i].attempts {
			to = append(to, int32(i))
		}
	}
	return to
}
