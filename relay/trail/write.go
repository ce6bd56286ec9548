package trail

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/forepost/forepost/relay/journal"
)

// bufferLen bounds the octets in memory that the journal has not taken yet.
const bufferLen = 8 << 20

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
func (t *Trail) Record(r *Record) { t.put(encodeRecord(r)) }

// Event is Writer's.
func (t *Trail) Event(e Event) { t.put(encode(isEvent, e.ID, e.Time, e)) }

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
	select {
	case t.kick <- struct{}{}:
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
	b.mu.Unlock()
	if len(b.writing) == 0 {
		return
	}
	var batch journal.Batch
	for _, p := range b.writing {
		batch.Add(journal.KindTrail, p)
	}
	err := t.j.Commit(context.Background(), &batch)
	b.mu.Lock()
	n := uint64(len(b.writing))
	for _, p := range b.writing {
		b.octets -= len(p)
	}
	b.writing = nil
	b.mu.Unlock()
	if err == nil {
		b.written.Add(n)
		return
	}
	b.dropped.Add(n)
	t.log.Warn("the trail loses entries", "entries", n, "error", err)
}

// unwritten is what is in memory only, oldest first.
func (b *buffer) unwritten() [][]byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append(append([][]byte(nil), b.writing...), b.waiting...)
}
