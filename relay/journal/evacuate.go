package journal

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// movedBlob is a blob that compaction copied to the end.
type movedBlob struct {
	id       BlobID
	size     int64
	from, to []extent
}

// evacuate copies the blobs of a segment whose records are void to the end,
// and removes the file. Readers that have it open read on.
func (j *journal) evacuate(ctx context.Context, s *segment) error {
	ids, err := j.dependents(ctx, s)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := j.move(ctx, id); err != nil {
			return err
		}
	}
	return j.do(func() error { return j.w.remove(s) })
}

// dependents are the blobs that would be lost with a segment: those with parts
// in it, and those that lie before it but are named by a batch in it.
func (j *journal) dependents(ctx context.Context, s *segment) ([]BlobID, error) {
	needed := map[BlobID]bool{}
	err := j.eachFrame(ctx, s, s.end, func(off int64, h frame, payload func() ([]byte, error)) error {
		switch h.typ {
		case frameBlob:
			if j.liesIn(h.blob, extent{s.number, uint32(off), h.length}) {
				needed[h.blob] = true
			}
		case frameBatch:
			p, err := payload()
			if err != nil {
				return &DamageError{File: s.name(j.dir), Offset: off, Err: err}
			}
			d, err := decodeBatch(p, nil)
			if err != nil {
				return &DamageError{File: s.name(j.dir), Offset: off, Err: err}
			}
			for _, b := range d.blobs {
				if j.liesBefore(b.id, s.number) {
					needed[b.id] = true
				}
			}
		}
		return nil
	})
	return slices.Sorted(maps.Keys(needed)), err
}

func (j *journal) liesIn(id BlobID, e extent) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Contains(j.table.extents(id), e)
}

// liesBefore tells whether the last part of a blob lies before the segment of
// that number, so that the batch that names it may be in that one.
func (j *journal) liesBefore(id BlobID, number uint32) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	at := j.table.extents(id)
	return len(at) > 0 && at[len(at)-1].segment < number
}

// move copies all parts of a blob, and then names it anew.
func (j *journal) move(ctx context.Context, id BlobID) error {
	j.mu.Lock()
	m := movedBlob{id: id, from: slices.Clone(j.table.extents(id))}
	r, err := j.openExtents(m.from)
	j.mu.Unlock()
	if err != nil || len(m.from) == 0 {
		return err
	}
	defer r.Close()
	m.size = sizeOf(m.from)
	for i, p := range r.parts {
		if err := j.movePart(ctx, &m, i, p); err != nil {
			j.mu.Lock()
			j.abandon(m.to)
			j.mu.Unlock()
			return err
		}
	}
	var b batch
	b.moved = []movedBlob{m}
	q, err := j.request(&b)
	if err != nil {
		return err
	}
	q.wait = false // remove syncs once for all
	j.submit(q)
	return <-q.done
}

// movePart copies one frame, whose checksum is verified on the way.
func (j *journal) movePart(ctx context.Context, m *movedBlob, i int, p part) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	buf := make([]byte, headLen+p.size)
	if _, err := p.seg.f.ReadAt(buf, p.off-headLen); err != nil {
		return fmt.Errorf("journal: blob %d in segment %d: %w", m.id, p.seg.number, err)
	}
	h, err := decodeFrame(buf, p.seg.number)
	if err == nil && h.sum != checksum(buf[headLen:]) {
		err = errSum
	}
	if err != nil {
		return &DamageError{File: p.seg.name(j.dir), Offset: p.off - headLen, Err: err}
	}
	q := &request{frame: buf, sum: h.sum, part: m.id, first: i == 0, done: make(chan error, 1)}
	q.wrote = func(e extent) { m.to = append(m.to, e) }
	j.submit(q)
	return <-q.done
}

// applyMoved makes the new places count for the blobs that are still held.
// The caller holds journal.mu.
func (j *journal) applyMoved(moved []movedBlob) {
	for _, m := range moved {
		j.unpin(m.to)
		if !slices.Equal(j.table.extents(m.id), m.from) {
			j.account(m.to, -1)
			continue
		}
		j.account(m.from, -1)
		j.table.set(m.id, m.to, j.table.places[m.id].holds)
	}
}

// remove runs on the writer: once the copies are durable, the file goes.
func (w *writer) remove(s *segment) error {
	j := w.j
	if err := w.syncAlways(); err != nil {
		return err
	}
	j.mu.Lock()
	gone := s.live == 0 && s.pending == 0
	if gone {
		delete(j.segments, s.number)
	}
	j.mu.Unlock()
	if !gone {
		return fmt.Errorf("journal: segment %d is still in use", s.number)
	}
	err := j.disk.Remove(s.name(j.dir))
	s.drop()
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return j.syncDir()
}
