package journal

import (
	"errors"
	"fmt"
	"time"
)

// writer is the one goroutine that writes. It takes what has come in since the
// last time, writes it, syncs once for all, and answers.
//
// Diagnostics: "journal stopped" is fatal. A sync that failed may have lost
// what was written, and asking again would not tell (the kernel has dropped
// the pages and the error): the process must be started anew, and the disk
// looked at. "journal: the disk is full" is no more than it says.
type writer struct {
	j      *journal
	seg    *segment // nil until the first write
	seq    uint64   // of the last frame
	synced uint64   // of the last frame known to be on the disk

	out     []byte // frames not yet written, for seg from base on
	base    int64
	placed  []*request // their last frame is in out
	written []*request // their last frame was written, to be answered with the group
	lazy    []*request // written, to be answered with the next sync
	spare   []*request // the queue before the last, to be filled again
	timer   *time.Timer
	armed   bool
	took    time.Duration // the last sync
	full    bool          // no segment could be made in this group
	told    bool          // that the disk is full
}

// flushLen is how much is gathered for one write.
const flushLen = 1 << 20

func (w *writer) loop() {
	defer close(w.j.stopped)
	w.timer = time.NewTimer(time.Hour)
	w.timer.Stop()
	for {
		var stop bool
		select {
		case <-w.j.wake:
			stop = w.drain()
		case <-w.timer.C:
			w.answerLazy(w.sync())
		}
		if stop {
			return
		}
	}
}

// drain handles everything that is queued, and tells whether that was the end.
func (w *writer) drain() (stop bool) {
	for {
		w.j.queueMu.Lock()
		reqs, closing := w.j.queue, w.j.closing
		if len(reqs) > 0 {
			w.j.queue = w.spare[:0]
		}
		w.j.queueMu.Unlock()
		if len(reqs) == 0 {
			return closing
		}
		w.handle(reqs)
		clear(reqs)
		w.spare = reqs
	}
}

// handle writes reqs in groups that end where something is to be run.
func (w *writer) handle(reqs []*request) {
	from := 0
	for i, r := range reqs {
		if r.run == nil {
			continue
		}
		w.group(reqs[from:i], true)
		from = i + 1
		err := w.j.brokenErr()
		if err == nil {
			err = r.run()
		}
		r.answer(err)
	}
	w.group(reqs[from:], false)
}

// group writes reqs, syncs if one of them waits for it or all is set, and
// answers.
func (w *writer) group(reqs []*request, all bool) {
	wait := all && !w.j.noSync
	w.full = false
	for _, r := range reqs {
		if err := w.put(r); err != nil {
			r.answer(err)
			continue
		}
		w.placed = append(w.placed, r)
		wait = wait || r.wait && r.call == nil
		if len(w.out) >= flushLen {
			w.flush()
		}
	}
	w.flush()
	w.finish(wait)
}

// finish answers what was written.
func (w *writer) finish(wait bool) {
	var err error
	if wait {
		err = w.sync()
		w.answerLazy(err)
	}
	for _, r := range w.written {
		if err == nil {
			r.runThen()
		}
		if r.wait && !wait {
			w.arm()
			w.lazy = append(w.lazy, r)
			continue
		}
		r.answer(err)
	}
	clear(w.written)
	w.written = w.written[:0]
	if w.j.noSync && w.seq > w.synced {
		w.arm()
	}
}

// arm makes a sync happen within MaxDelay.
func (w *writer) arm() {
	if !w.armed {
		w.armed = true
		w.timer.Reset(w.patience())
	}
}

// leastDelay is how long a sync for Append alone is put off at least, and syncShare
// how many times longer than a sync takes: so that what was delivered is soon
// known for good, and syncs that nobody waits for cost the disk a twentieth of
// its time at most.
const (
	leastDelay = 10 * time.Millisecond
	syncShare  = 20
)

// patience is how long what was appended may wait for a sync.
func (w *writer) patience() time.Duration {
	if w.j.noSync {
		return w.j.maxDelay
	}
	return min(w.j.maxDelay, max(leastDelay, syncShare*w.took))
}

func (r *request) runThen() {
	for _, f := range r.then {
		f()
	}
}

func (w *writer) answerLazy(err error) {
	w.timer.Stop()
	w.armed = false
	for _, r := range w.lazy {
		r.answer(err)
	}
	clear(w.lazy)
	w.lazy = w.lazy[:0]
}

// put places the frames of r in out.
func (w *writer) put(r *request) error {
	if err := w.j.brokenErr(); err != nil {
		return err
	}
	if r.part != 0 {
		at, err := w.place(r.frame, frame{typ: frameBlob, blob: r.part, first: r.first, sum: r.sum}, true)
		r.at = append(r.at, at)
		return err
	}
	for _, b := range r.blobs {
		if !b.last() {
			continue
		}
		at, err := w.place(b.buf, frame{typ: frameBlob, blob: b.id, first: len(b.parts) == 0, sum: b.sum}, true)
		if err != nil {
			return err
		}
		r.at = append(r.at, at)
	}
	_, err := w.place(r.frame, frame{typ: frameBatch, sum: r.sum}, len(r.blobs) > 0)
	return err
}

// place puts one frame, whose head has room in p, into out.
func (w *writer) place(p []byte, h frame, bulky bool) (extent, error) {
	if err := w.room(int64(len(p)), bulky); err != nil {
		return extent{}, err
	}
	w.seq++
	h.length, h.seq, h.synced, h.segment = uint32(len(p)-headLen), w.seq, w.synced, w.seg.number
	h.encode(p)
	at := extent{w.seg.number, uint32(w.seg.end), h.length}
	w.out = append(w.out, p...)
	w.seg.end += int64(len(p))
	return at, nil
}

// flush writes what is in out. If the disk is full after all (a file system
// that copies on write), what did not get there is as if it had not been
// asked for; its sequence numbers are not used again, so that what did reach
// the disk of it is never taken for what comes later in its place.
func (w *writer) flush() error {
	if len(w.out) == 0 {
		return nil
	}
	_, err := w.seg.f.WriteAt(w.out, w.base)
	switch {
	case err == nil:
		w.base = w.seg.end
		w.apply()
		w.written = append(w.written, w.placed...)
	case isFull(err):
		w.seg.end = w.base
		err = fmt.Errorf("%w (%v)", ErrFull, err)
		w.refuse(err)
	default:
		err = w.j.fail(err)
		w.refuse(err)
	}
	clear(w.placed)
	w.placed, w.out = w.placed[:0], w.out[:0]
	return err
}

func (w *writer) refuse(err error) {
	for _, r := range w.placed {
		r.answer(err)
	}
}

// apply makes what was written count.
func (w *writer) apply() {
	j := w.j
	j.mu.Lock()
	defer j.mu.Unlock()
	w.seg.written = w.base
	for _, r := range w.placed {
		if r.part != 0 {
			j.account(r.at, 1)
			j.pin(r.at)
			r.wrote(r.at[0])
			continue
		}
		j.segments[w.seg.number].records += int64(len(r.frame))
		next := r.at
		for _, b := range r.blobs {
			next = j.applyBlob(b, next)
		}
		j.applyMoved(r.moved)
	}
}

// applyBlob makes a blob committed; its last part, if it had one, is the first
// of at, and the rest is returned.
func (j *journal) applyBlob(b *blobWriter, at []extent) []extent {
	parts := b.parts
	j.unpin(parts)
	if b.last() {
		j.account(at[:1], 1)
		parts, at = append(parts, at[0]), at[1:]
	}
	j.table.set(b.id, parts, 1)
	b.state, b.parts = blobCommitted, nil
	b.giveBack()
	return at
}

// sync makes durable what was written.
func (w *writer) sync() error {
	if err := w.j.brokenErr(); err != nil {
		return err
	}
	if w.seg == nil || w.synced == w.seq {
		return nil
	}
	began := w.j.now()
	if err := w.seg.f.Sync(); err != nil {
		return w.j.fail(err)
	}
	w.took = w.j.now().Sub(began)
	w.synced = w.seq
	w.j.syncs.Add(1)
	return nil
}

// fail stops the journal for good.
func (j *journal) fail(err error) error {
	if !errors.Is(err, ErrBroken) {
		err = fmt.Errorf("%w: %w", ErrBroken, err)
	}
	j.broken.CompareAndSwap(nil, &err)
	j.log.Error("journal stopped: nothing more is kept until the program is started again; look at the disk", "dir", j.dir, "error", err)
	return err
}

func (j *journal) brokenErr() error {
	if p := j.broken.Load(); p != nil {
		return *p
	}
	return nil
}
