package journal

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
)

// Compaction gives space back in two steps that can be taken apart.
//
// Records count in order, so that they are given up from the oldest segment
// on: each owner writes again what still lives, and the segment is renamed to
// .blobs, which voids its records. Were a segment in the middle taken out
// first, a "deleted" in it would be forgotten while what it deletes is still
// there before it.
//
// Blobs have no order: from any segment whose records are void and whose
// blobs are mostly gone, the others are copied to the end, and the file is
// removed.
type compactor struct {
	kick chan struct{}
	quit context.CancelFunc
	ctx  context.Context
	gone sync.WaitGroup
	one  sync.Mutex // one compaction at a time

	in, out int64 // octets of records that were offered to owners, and written again
}

func (c *compactor) init() {
	c.kick = make(chan struct{}, 1)
	c.ctx, c.quit = context.WithCancel(context.Background())
	c.in, c.out = 2, 1
	c.gone.Add(1)
}

// loop compacts whenever something was given up.
func (c *compactor) loop(j *journal) {
	defer c.gone.Done()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-c.kick:
		}
		if _, err := j.compact(c.ctx); err != nil && c.ctx.Err() == nil && !errors.Is(err, ErrBroken) {
			j.log.Warn("compaction stopped, to be tried again later", "dir", j.dir, "error", err)
		}
	}
}

func (c *compactor) stop() {
	c.quit()
	c.gone.Wait()
}

// freed wakes the compactor.
func (j *journal) freed() {
	select {
	case j.kick <- struct{}{}:
	default:
	}
}

// liveRecords estimates how much of the records of a segment lives, by what
// owners wrote again of those before. The caller holds journal.mu.
func (j *journal) liveRecords(s *segment) int64 {
	if s.void {
		return 0
	}
	return int64(float64(s.records) * float64(j.out) / float64(j.in))
}

func (j *journal) compact(ctx context.Context) (done int, err error) {
	j.one.Lock()
	defer j.one.Unlock()
	for {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		s, rewrite := j.pick()
		if s == nil {
			return done, nil
		}
		if rewrite {
			if err := j.rewrite(ctx, s); err != nil {
				return done, err
			}
			continue
		}
		if err := j.evacuate(ctx, s); err != nil {
			return done, err
		}
		done++
	}
}

// pick chooses what to do next: a segment to remove, whose records are void,
// or the oldest whose are not, to rewrite them.
func (j *journal) pick() (s *segment, rewrite bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.state != running || j.skim {
		return nil, false
	}
	var front []*segment
	for _, n := range slices.Sorted(maps.Keys(j.segments)) {
		s := j.segments[n]
		if s.sealed.IsZero() || n == j.last { // the last one holds the names that were given
			continue
		}
		if s.void && s.pending == 0 && j.poor(s) {
			return s, false
		}
		if !s.void {
			front = append(front, s)
		}
	}
	if j.worthwhile(front) {
		return front[0], true
	}
	return nil, false
}

// poor tells whether so little of a segment lives that copying it out pays.
func (j *journal) poor(s *segment) bool { return s.live*10 < s.end*6 && s.live*10 < j.segmentSize*6 }

// worthwhile tells whether some run of the oldest segments would give back
// twice what rewriting its records costs, and at least a quarter of a segment.
func (j *journal) worthwhile(front []*segment) bool {
	if j.scattered(front) {
		return true
	}
	var gain, cost int64
	for _, s := range front {
		lives := j.liveRecords(s)
		cost += lives
		gain += s.records - lives
		if j.poor(s) {
			gain += s.end - s.records - s.live
			cost += s.live
		}
		if gain > 2*cost && gain > j.segmentSize/4 {
			return true
		}
	}
	return false
}

// scattered tells whether there are so many small segments, since each start
// of the program begins one, that gathering them is due: soon if the oldest is
// small itself, late if large ones have to be rewritten to reach them.
func (j *journal) scattered(front []*segment) bool {
	small := 0
	for _, s := range front {
		if s.end < j.segmentSize/4 {
			small++
		}
	}
	return small >= 16 && front[0].end < j.segmentSize/4 || small >= 64
}
