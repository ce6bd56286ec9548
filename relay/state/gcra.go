package state

import "time"

// The generic cell rate algorithm: a window is remembered as one moment, the
// theoretical arrival time, at which all that was taken would have trickled
// out at one in Per/Max. What is in use is how far it lies ahead of now.

// interval is how long one of n takes to come back, in nanoseconds.
func (w Window) interval() int64 {
	if w.Max <= 0 {
		return int64(w.Per)
	}
	return max(1, int64(w.Per)/w.Max)
}

// burst is how many may be in use at once. A Max of 0 lets nothing through.
func (w Window) burst() int64 {
	switch {
	case w.Max <= 0:
		return 0
	case w.Burst > 0:
		return w.Burst
	}
	return w.Max
}

// take says what the cell becomes if n are taken, and how much longer the
// window must be left alone for it: 0 or less means that there is room.
func (w Window) take(cell, now, n int64) (after, wait int64) {
	after = max(cell, now) + n*w.interval()
	return after, after - now - w.burst()*w.interval()
}

// inUse is how many are in use of a cell, rounded up.
func (w Window) inUse(cell, now int64) int64 {
	if cell <= now {
		return 0
	}
	i := w.interval()
	return (cell - now + i - 1) / i
}

// tally gathers the answer of a Take over its windows.
type tally struct {
	Taken
	share float64 // of the fullest, in parts of its burst
}

func newTally() tally { return tally{Taken: Taken{OK: true, Over: -1}, share: -1} }

// add takes up the window i. The first without room is the one told of; Wait
// is the longest of all.
func (t *tally) add(i int, w Window, used, wait int64) {
	if wait > 0 {
		t.Wait = max(t.Wait, time.Duration(wait))
		if t.OK {
			t.OK, t.Over, t.Count = false, i, used
		}
		return
	}
	share := float64(used) / float64(max(1, w.burst()))
	if t.OK && share > t.share {
		t.share, t.Count = share, used
	}
}
