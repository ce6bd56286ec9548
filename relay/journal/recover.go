package journal

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// DamageError says where a segment cannot be read. It is not mended by itself:
// restore the file from a copy, or Salvage what can be read.
type DamageError struct {
	File   string
	Offset int64
	Err    error
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("journal: %s is damaged at offset %d: %v; nothing was changed: restore the file from a backup, or see what forepost store salvage can read", e.File, e.Offset, e.Err)
}

func (e *DamageError) Unwrap() error { return e.Err }

// replay reads all segments in order. Payloads of blobs are skipped, but for
// the segment that was being written, which is checked to the last octet.
func (j *journal) replay(ctx context.Context) error {
	unfinished := map[BlobID]found{}
	numbers := slices.Sorted(maps.Keys(j.segments))
	for i, n := range numbers {
		r := &replayer{j: j, s: j.segments[n], last: i == len(numbers)-1, unfinished: unfinished}
		r.path = r.s.name(j.dir)
		if err := r.run(ctx); err != nil {
			return err
		}
	}
	j.dropUnheld()
	return nil
}

// replayer reads one segment.
type replayer struct {
	j          *journal
	s          *segment
	path       string
	last       bool
	unfinished map[BlobID]found // parts that no batch has named yet
	blobs      []declared       // of the batch before, to be filled again
	win        window
	off        int64
	seq        uint64
	sealed     bool
	proven     uint64   // the highest sequence that a frame says was on the disk
	unproven   []placed // the frames beyond it
}

// placed is where a frame lies.
type placed struct {
	seq uint64
	off int64
}

func (r *replayer) run(ctx context.Context) error {
	r.win = window{f: r.s.f, size: r.s.alloc}
	isSealed := r.looksSealed()
	if r.j.skim && isSealed {
		r.off = r.s.alloc - sealLen
	}
	verify := r.last && !isSealed
	for !r.sealed {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, payload, err := r.next(verify)
		if err != nil {
			if r.last && torn(err) {
				return r.cut(err)
			}
			return r.damage(err)
		}
		if err := r.frame(h, payload); err != nil {
			return err
		}
		if r.last {
			r.prove(h)
		}
		r.off += headLen + int64(h.length)
		r.seq = h.seq
	}
	if err := r.renew(); err != nil {
		return err
	}
	r.s.end, r.s.written = r.off, r.off
	r.j.w.seq = max(r.j.w.seq, r.seq)
	r.j.w.synced = r.j.w.seq
	return nil
}

// next reads the frame at off; the payload of a blob only if it is verified.
func (r *replayer) next(verify bool) (h frame, payload []byte, err error) {
	p, err := r.win.at(r.off, headLen)
	if err != nil {
		return h, nil, err
	}
	if h, err = decodeFrame(p, r.s.number); err != nil {
		return h, nil, err
	}
	if h.seq <= r.seq {
		return h, nil, errOrder
	}
	if h.typ == frameBlob && !verify {
		if r.off+headLen+int64(h.length) > r.win.size {
			return h, nil, errShort
		}
		return h, nil, nil
	}
	if payload, err = r.win.at(r.off+headLen, int(h.length)); err != nil {
		return h, nil, err
	}
	if checksum(payload) != h.sum {
		return h, nil, errSum
	}
	return h, payload, nil
}

// frame takes up one frame.
func (r *replayer) frame(h frame, payload []byte) error {
	switch h.typ {
	case frameSegment:
		return nil
	case frameSeal:
		r.sealed = true
		r.s.sealed = sealTime(payload)
		return nil
	case frameBlob:
		r.j.raiseBlob(h.blob + 1)
		r.found(h)
		return nil
	case frameBatch:
		r.s.records += headLen + int64(h.length)
		return r.batch(payload)
	}
	return r.damage(fmt.Errorf("a frame of the unknown type %d", h.typ))
}

// found is the parts of a blob that were seen, nearly always one.
type found struct {
	first extent // in segment 0: none
	more  []extent
}

func (r *replayer) found(h frame) {
	at, f := extent{r.s.number, uint32(r.off), h.length}, r.unfinished[h.blob]
	if h.first || f.first.segment == 0 {
		f = found{first: at}
	} else {
		f.more = append(f.more, at)
	}
	r.unfinished[h.blob] = f
}

// batch takes up the blobs and the records of a batch.
func (r *replayer) batch(payload []byte) error {
	d, err := decodeBatch(payload, r.blobs)
	if err != nil {
		return r.damage(err)
	}
	r.blobs = d.blobs
	for _, b := range d.blobs {
		r.declare(b)
	}
	if r.s.void || r.j.skim {
		return nil
	}
	err = eachRecord(d.records, func(k Kind, data []byte) error {
		o := r.j.owners[k]
		if o == nil {
			return fmt.Errorf("a record of kind %d, which nobody owns", k)
		}
		return o.Replay(k, data)
	})
	if err != nil {
		return fmt.Errorf("journal: %s, batch at offset %d: %w", r.path, r.off, err)
	}
	return nil
}

// declare makes a blob count. Parts may be missing, if the blob was moved later
// or given up, and the segment that they were in has gone: it is named again at
// its new place, if it has one.
func (r *replayer) declare(b declared) {
	f := r.unfinished[b.id]
	delete(r.unfinished, b.id)
	if f.first.segment == 0 || int64(f.first.size)+sizeOf(f.more) != b.size {
		return
	}
	r.j.mu.Lock()
	defer r.j.mu.Unlock()
	if len(f.more) == 0 {
		r.j.table.setOne(b.id, f.first, r.j.table.places[b.id].holds)
		return
	}
	r.j.table.set(b.id, append([]extent{f.first}, f.more...), r.j.table.places[b.id].holds)
}

func (r *replayer) damage(err error) error {
	return &DamageError{File: r.path, Offset: r.off, Err: err}
}

// dropUnheld forgets the blobs that no owner held, and counts what lives.
func (j *journal) dropUnheld() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for id, p := range j.table.places {
		switch {
		case p.holds == 0:
			j.table.forget(id)
		case p.segment == 0:
			j.log.Error("a record refers to a blob that is not there", "dir", j.dir, "blob", uint64(id))
			j.missing = append(j.missing, id)
			j.table.forget(id)
		default:
			j.account(j.table.extents(id), 1)
		}
	}
	j.settled = j.records() / 2 // nobody has asked the owners yet
}
