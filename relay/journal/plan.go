package journal

import (
	"maps"
	"slices"
)

// plan is what compaction knows of records, whose lives only their owners
// know. It is guarded by journal.mu.
type plan struct {
	settled int64  // octets of records that the last pass over all wrote again: what lived then
	kept    int64  // the same of the pass under way, so far
	until   uint32 // the last segment of the pass under way
	all     bool   // the pass is one over all
	garbage int64  // octets of blobs given up since compaction was last woken
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
	j.endPass(front)
	if len(front) == 0 {
		return nil, false
	}
	if j.until == 0 {
		j.until, j.all = j.due(front)
	}
	if front[0].number <= j.until {
		return front[0], true
	}
	return nil, false
}

// endPass notes what a pass has found alive. What came in while it ran is not
// counted: nobody has asked the owners about it yet, and on a busy machine it is
// many times what lives.
func (j *journal) endPass(front []*segment) {
	if j.until == 0 || len(front) > 0 && front[0].number <= j.until {
		return
	}
	if j.all {
		j.settled = j.kept
	}
	j.until, j.all, j.kept = 0, false, 0
}

// records counts the octets of records that are not void.
func (j *journal) records() (n int64) {
	for _, s := range j.segments {
		if !s.void {
			n += s.records
		}
	}
	return n
}

// poor tells whether so little of a segment lives that copying it out pays.
func (j *journal) poor(s *segment) bool { return s.live*10 < s.end*6 && s.live*10 < j.segmentSize*6 }

// due says up to which segment records are to be rewritten now, 0 for none.
//
// There are three reasons. Records have doubled since the last pass over all:
// so there is never more than about as much waste as there is life, and each
// record is written about twice. Or the blobs that were given up in the oldest
// segments are worth twice the rewriting of the records there. Or segments are
// many and small.
func (j *journal) due(front []*segment) (until uint32, all bool) {
	last := front[len(front)-1].number
	if j.records() > 2*j.settled+j.segmentSize {
		return last, true
	}
	if n := j.worthwhile(front); n > 0 {
		return n, false
	}
	small := 0
	for _, s := range front {
		if s.end < j.segmentSize/4 {
			small++
		}
	}
	if small >= manySegments && front[0].end < j.segmentSize/4 || small >= 4*manySegments {
		return last, true
	}
	return 0, false
}

// manySegments is how many small segments, since each start of the program
// begins one, may stand before they are gathered; four times as many if large
// ones have to be rewritten to reach them.
const manySegments = 16

// worthwhile finds the run of the oldest segments whose blobs pay for the
// rewriting of its records, and tells its last segment, 0 for none.
func (j *journal) worthwhile(front []*segment) uint32 {
	var gain, cost int64
	for _, s := range front {
		cost += j.liveRecords(s)
		if j.poor(s) {
			gain += s.end - s.records - s.live
			cost += s.live
		}
		if gain > 2*cost && gain > j.segmentSize/4 {
			return s.number
		}
	}
	return 0
}

// liveRecords guesses how much of the records of a segment lives.
func (j *journal) liveRecords(s *segment) int64 {
	all := j.records()
	if s.void || all == 0 {
		return 0
	}
	return int64(float64(s.records) * min(1, float64(j.settled)/float64(all)))
}

// wasted notes that octets of blobs were given up, and wakes the compactor
// once there are enough.
func (j *journal) wasted(octets int64) {
	if j.garbage += octets; j.garbage >= j.segmentSize/8 {
		j.garbage = 0
		j.freed()
	}
}
