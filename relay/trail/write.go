package trail

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/forepost/forepost/relay/journal"
)

// bufferLen bounds the octets in memory that the journal has not taken yet, and
// batchLen those of one batch: to read an entry means to read its batch.
const (
	bufferLen = 8 << 20
	batchLen  = 32 << 10
)

// buffer holds what was handed in until it can be read from the journal.
type buffer struct {
	mu      sync.Mutex
	waiting [][]byte // not yet given to the journal
	writing [][]byte // given, not yet written
	octets  int
	losing  bool // what comes in is being dropped; it was logged

	written, dropped atomic.Uint64
}

// Record is Writer's.
func (t *Trail) Record(r *Record) {
	t.encoding.Lock()
	defer t.encoding.Unlock()
	if t.renew.Swap(false) {
		t.renewWords()
	}
	p, err := encodeRecord(r, t.dict)
	t.tellWords()
	t.put(p, err)
}

// Event is Writer's.
func (t *Trail) Event(e Event) { t.put(encodeEvent(e)) }

// tellWords puts the words that are new before the record that needs them.
func (t *Trail) tellWords() {
	d := t.dict
	if d.told == len(d.list) {
		return
	}
	t.tables.own(d.id, d.told, d.list[d.told:])
	t.buf.take(d.encodeWords(d.told))
	d.told = len(d.list)
}

// renewWords begins a new dictionary, since there is a new segment. The old one
// is written into it, for the records that are on their way.
func (t *Trail) renewWords() {
	if d := t.dict; len(d.list) > 0 {
		t.buf.take(d.encodeWords(0))
	}
	t.dict = newDictionary()
}

// put takes an entry, or drops it if the disk is too far behind.
func (t *Trail) put(p []byte, err error) {
	if err != nil {
		t.buf.dropped.Add(1)
		t.log.Error("an entry of the trail cannot be written", "error", err)
		return
	}
	b := &t.buf
	b.mu.Lock()
	full := b.octets+len(p) > bufferLen
	if !full {
		b.octets += len(p)
		b.waiting = append(b.waiting, p)
	}
	first := full && !b.losing
	b.losing = full
	b.mu.Unlock()
	if full {
		b.dropped.Add(1)
		if first {
			t.log.Warn("the trail loses entries: the disk does not keep up")
		}
		return
	}
	wake(t.kick)
}

// take takes an entry whatever there is: words, which others need.
func (b *buffer) take(p []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.octets += len(p)
	b.waiting = append(b.waiting, p)
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// write gives the journal what has come in, one batch at a time.
func (t *Trail) write(ctx context.Context) {
	for {
		t.flush()
		select {
		case <-ctx.Done():
			t.flush()
			return
		case <-t.kick:
		}
	}
}

func (t *Trail) flush() {
	b := &t.buf
	b.mu.Lock()
	b.writing, b.waiting = b.waiting, nil
	left := b.writing
	b.mu.Unlock()
	for len(left) > 0 {
		n := t.commit(left)
		b.mu.Lock()
		for _, p := range left[:n] {
			b.octets -= len(p)
		}
		left = left[n:]
		b.writing = left
		b.mu.Unlock()
	}
}

// commit writes the first entries, as many as a batch has, and tells how many.
func (t *Trail) commit(entries [][]byte) (n int) {
	var batch journal.Batch
	octets, messages := 0, uint64(0)
	for _, p := range entries {
		if octets += len(p); n > 0 && octets > batchLen {
			break
		}
		batch.Add(journal.KindTrail, p)
		n++
		if p[0] != isWords {
			messages++
		}
	}
	if err := t.j.Commit(context.Background(), &batch); err != nil {
		t.buf.dropped.Add(messages)
		t.renew.Store(true) // words may be lost with it
		t.log.Warn("the trail loses entries", "entries", messages, "error", err)
		return n
	}
	t.buf.written.Add(messages)
	t.committed(entries[:n])
	return n
}

// committed tells others what was written.
func (t *Trail) committed(entries [][]byte) {
	segments := t.j.Segments()
	last := segments[len(segments)-1]
	if last.Number != t.last {
		t.renew.Store(t.last != 0)
		t.last, t.indexed = last.Number, -indexStep // the index of the one before is finished at once
	}
	if last.Bytes-t.indexed > indexStep {
		t.indexed = last.Bytes
		wake(t.catalog.kick)
	}
	t.followers.tell(t, entries)
}

// unwritten is what is in memory only, oldest first.
func (b *buffer) unwritten() [][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append(append([][]byte(nil), b.writing...), b.waiting...)
}
