package trail

import (
	"context"
	"slices"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/trail/index"
)

// wanted is what entries must have to be looked at: one token at least of each
// row. No rows want all.
type wanted struct {
	rows         [][]index.Token
	since, until int64 // milliseconds, both included; until 0: no end
}

// hit is an entry that has it, perhaps. p is good until the next one.
type hit struct {
	segment uint32
	p       []byte
}

// visit hands what may be wanted in a segment to f, until f has enough: from the
// newest to the oldest as far as there is an index, and before that what there
// is none for, as it comes. newest tells f which of the two it is.
func (t *Trail) visit(ctx context.Context, s journal.Segment, w *wanted, f func(h hit, newest bool) (enough bool, err error)) error {
	v := &visitor{t: t, ctx: ctx, segment: s.Number, w: w, f: f}
	parts, covered := t.parts(s, w)
	if err := v.rest(covered); err != nil || v.enough {
		return err
	}
	for _, p := range slices.Backward(parts) {
		if err := v.part(p); err != nil || v.enough {
			return err
		}
	}
	return nil
}

// found is a part of an index with what was found in it.
type found struct {
	batches []index.Batch
	entries index.Set
}

// parts asks the index of a segment; covered is how far it reaches. Where there
// is none yet, or it is damaged, that is nothing.
func (t *Trail) parts(s journal.Segment, w *wanted) (parts []found, covered int64) {
	x := t.catalog.of(s.Number)
	x.mu.Lock()
	defer x.mu.Unlock()
	if err := t.catalog.open(x); err != nil {
		t.log.Warn("an index of the trail cannot be read", "error", err)
		return nil, 0
	}
	if x.damaged {
		return nil, 0
	}
	var err error
	for _, c := range x.chunks {
		if parts, err = w.ask(parts, c); err != nil {
			break
		}
	}
	if err == nil && x.tail != nil {
		parts, err = w.ask(parts, x.tail)
	}
	if err != nil {
		x.damaged = true
		wake(t.catalog.kick)
		return nil, 0
	}
	if x.whole {
		return parts, s.Bytes
	}
	return parts, x.covered
}

// ask finds the entries of a part that have what is wanted.
func (w *wanted) ask(parts []found, p index.Part) ([]found, error) {
	batches := p.Batches()
	if len(batches) == 0 || !slices.ContainsFunc(batches, w.inTime) {
		return parts, nil
	}
	f := found{batches: batches}
	f.entries.Fill(p.Len())
	for _, row := range w.rows {
		var any index.Set
		for _, t := range row {
			if err := p.Find(t, &any); err != nil {
				return parts, err
			}
		}
		if f.entries.And(&any); f.entries.Empty() {
			return parts, nil
		}
	}
	if b, ok := p.(*index.Builder); ok {
		f.batches = slices.Clone(b.Batches()) // it is filled further
	}
	return append(parts, f), nil
}

func (w *wanted) inTime(b index.Batch) bool {
	return b.Newest >= w.since && (w.until == 0 || b.Oldest <= w.until)
}

// visitor goes through one segment.
type visitor struct {
	t       *Trail
	ctx     context.Context
	segment uint32
	w       *wanted
	f       func(h hit, newest bool) (bool, error)
	enough  bool
}

// rest reads what no index covers.
func (v *visitor) rest(from int64) error {
	err := v.t.j.ScanFrom(v.ctx, v.segment, from, func(_, _ int64, _ journal.Kind, p []byte) error {
		v.learn(p)
		var err error
		v.enough, err = v.f(hit{v.segment, p}, false)
		return err
	})
	return err
}

// learn takes words on the way.
func (v *visitor) learn(p []byte) {
	if e, err := decode(p); err == nil && e.what == isWords {
		v.t.learnWords(&e)
	}
}

// part reads the batches in which something was found, from the newest on.
func (v *visitor) part(p found) error {
	for _, b := range slices.Backward(p.batches) {
		if !v.w.inTime(b) || !p.entries.Any(b.First, b.N) {
			continue
		}
		if err := v.batch(b, &p.entries); err != nil || v.enough {
			return err
		}
	}
	return nil
}

func (v *visitor) batch(b index.Batch, entries *index.Set) error {
	var list [][]byte
	n := 0
	err := v.t.j.ScanBatch(v.ctx, v.segment, b.At, func(_ journal.Kind, p []byte) error {
		if i := n - b.Skip; i >= 0 && i < b.N && entries.Has(b.First+i) {
			list = append(list, slices.Clone(p))
		}
		n++
		return nil
	})
	if err != nil {
		return err
	}
	for _, p := range slices.Backward(list) {
		if v.enough, err = v.f(hit{v.segment, p}, true); err != nil || v.enough {
			return err
		}
	}
	return nil
}
