package journal

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
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
	j.mu.Lock()
	s := j.segments[number]
	if s == nil {
		j.mu.Unlock()
		return nil
	}
	s.hold() // it may be given up meanwhile
	end := s.written
	j.mu.Unlock()
	defer s.drop()
	return j.eachFrame(ctx, s, end, func(off int64, h frame, payload func() ([]byte, error)) error {
		if h.typ != frameBatch {
			return nil
		}
		p, err := payload()
		if err != nil {
			return &DamageError{File: s.name(j.dir), Offset: off, Err: err}
		}
		d, err := decodeBatch(p)
		if err != nil {
			return &DamageError{File: s.name(j.dir), Offset: off, Err: err}
		}
		return eachRecord(d.records, f)
	})
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
