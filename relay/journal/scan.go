package journal

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

func (j *journal) list() []Segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []Segment
	for n, s := range j.segments {
		all = append(all, Segment{Number: n, Bytes: s.written, Created: s.created, Sealed: s.sealed})
	}
	slices.SortFunc(all, func(a, b Segment) int { return cmp.Compare(a.Number, b.Number) })
	return all
}

func (j *journal) scan(ctx context.Context, number uint32, f func(k Kind, data []byte) error) error {
	return j.scanFrom(ctx, number, 0, false, func(_, _ int64, k Kind, data []byte) error { return f(k, data) })
}

// oneBatch is what reading one batch asks of the disk: nearly all are shorter.
const oneBatch = 36 << 10

var batchRoom = sync.Pool{New: func() any { return new([oneBatch]byte) }}

var errOneBatch = errors.New("that was the batch")

// scanFrom reads the batches from one on, or that one alone.
func (j *journal) scanFrom(ctx context.Context, number uint32, from int64, one bool, f func(at, next int64, k Kind, data []byte) error) error {
	s, end := j.holdSegment(number)
	if s == nil {
		return nil
	}
	defer s.drop()
	win := window{f: s.f, size: end}
	if one {
		room := batchRoom.Get().(*[oneBatch]byte)
		defer batchRoom.Put(room)
		win.step, win.buf = oneBatch, room[:0]
	}
	err := j.framesFrom(ctx, s, win, from, func(off int64, h frame, payload func() ([]byte, error)) error {
		if h.typ != frameBatch {
			return nil
		}
		p, err := payload()
		if err != nil {
			return &DamageError{File: s.name(j.dir), Offset: off, Err: err}
		}
		d, err := decodeBatch(p, nil)
		if err != nil {
			return &DamageError{File: s.name(j.dir), Offset: off, Err: err}
		}
		next := off + headLen + int64(h.length)
		err = eachRecord(d.records, func(k Kind, data []byte) error { return f(off, next, k, data) })
		if err == nil && one {
			err = errOneBatch
		}
		return err
	})
	if err == errOneBatch {
		err = nil
	}
	return err
}

// holdSegment finds a segment, and how far it can be read. It stays until it is
// dropped, though it be given up meanwhile.
func (j *journal) holdSegment(number uint32) (s *segment, end int64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if s = j.segments[number]; s == nil {
		return nil, 0
	}
	s.hold()
	return s, s.written
}

func (j *journal) dropOld(before time.Time, most int64) (done int, err error) {
	for {
		s := j.oldest(before, most)
		if s == nil {
			return done, nil
		}
		err := j.disk.Remove(s.name(j.dir))
		s.drop()
		if err != nil {
			return done, fmt.Errorf("journal: %w", err)
		}
		if err := j.syncDir(); err != nil {
			return done, err
		}
		done++
	}
}

// oldest takes the oldest segment out if it is to go. The last stays, since it
// holds the names that were given.
func (j *journal) oldest(before time.Time, most int64) *segment {
	j.mu.Lock()
	defer j.mu.Unlock()
	var total int64
	for _, s := range j.segments {
		total += s.written
	}
	if len(j.segments) == 0 {
		return nil
	}
	n := slices.Min(slices.Collect(maps.Keys(j.segments)))
	s := j.segments[n]
	if n == j.last || s.sealed.IsZero() || s.live > 0 || s.pending > 0 {
		return nil
	}
	if !s.sealed.Before(before) && (most <= 0 || total <= most) {
		return nil
	}
	delete(j.segments, n)
	return s
}
