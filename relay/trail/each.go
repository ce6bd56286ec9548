package trail

import (
	"context"
	"time"

	"github.com/forepost/forepost/relay/journal"
)

// Each calls f for every record from since (included) to until (not included), in
// the order in which they were written. It keeps one in memory at a time, and
// stops at f's first error, which it returns. The record is f's to keep.
func (t *Trail) Each(ctx context.Context, since, until time.Time, f func(*Record) error) error {
	return t.each(ctx, since, until, func(e *entry, segment uint32) error {
		if !e.isOne() {
			return nil
		}
		r, err := t.read(e, segment)
		if err != nil {
			return err
		}
		return f(r)
	})
}

// EachEvent is Each for events.
func (t *Trail) EachEvent(ctx context.Context, since, until time.Time, f func(*Event) error) error {
	return t.each(ctx, since, until, func(e *entry, _ uint32) error {
		if e.what != isEvent {
			return nil
		}
		ev, err := readEvent(e)
		if err != nil {
			return err
		}
		return f(&ev)
	})
}

// each hands on the entries of that time, and learns words on the way.
func (t *Trail) each(ctx context.Context, since, until time.Time, f func(e *entry, segment uint32) error) error {
	one := func(h hit) error {
		e, err := decode(h.p)
		if err != nil {
			return err
		}
		if e.what == isWords {
			t.learnWords(&e)
		}
		if e.what == isWords || e.at.Before(since) || !e.at.Before(until) {
			return nil
		}
		return f(&e, h.segment)
	}
	memory := t.buf.unwritten()
	seen := map[string]bool{}
	for _, p := range memory {
		seen[string(p)] = true
	}
	for _, s := range t.j.Segments() {
		if !s.Sealed.IsZero() && s.Sealed.Before(since) || s.Created.Add(-slowest).After(until) {
			continue
		}
		err := t.j.Scan(ctx, s.Number, func(_ journal.Kind, p []byte) error {
			if seen[string(p)] {
				return nil
			}
			return one(hit{s.Number, p})
		})
		if err != nil {
			return err
		}
	}
	for _, p := range memory {
		if err := one(hit{p: p}); err != nil {
			return err
		}
	}
	return nil
}
