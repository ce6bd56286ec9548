package trail

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/forepost/forepost/relay/journal"
)

// Each calls f for every record from since (included) to until (not included), in
// the order in which they were written. It keeps one in memory at a time, and
// stops at f's first error, which it returns. The record is f's to keep.
func (t *Trail) Each(ctx context.Context, since, until time.Time, f func(*Record) error) error {
	return t.each(ctx, since, until, func(p []byte) error { return within(p, isRecord, since, until, f) })
}

// EachEvent is Each for events.
func (t *Trail) EachEvent(ctx context.Context, since, until time.Time, f func(*Event) error) error {
	return t.each(ctx, since, until, func(p []byte) error { return within(p, isEvent, since, until, f) })
}

// each hands on the entries that may be of that time, and others.
func (t *Trail) each(ctx context.Context, since, until time.Time, one func([]byte) error) error {
	memory := t.buf.unwritten()
	seen := map[string]bool{}
	for _, p := range memory {
		seen[string(p)] = true
	}
	for _, s := range t.j.Segments() {
		if !s.Sealed.IsZero() && s.Sealed.Before(since) || s.Created.After(until) {
			continue
		}
		err := t.j.Scan(ctx, s.Number, func(_ journal.Kind, p []byte) error {
			if seen[string(p)] {
				return nil
			}
			return one(p)
		})
		if err != nil {
			return err
		}
	}
	for _, p := range memory {
		if err := one(p); err != nil {
			return err
		}
	}
	return nil
}

// within hands an entry of a sort and of that time to f.
func within[T any](p []byte, what byte, since, until time.Time, f func(*T) error) error {
	e, err := decode(p)
	if err != nil || e.what != what || e.at.Before(since) || !e.at.Before(until) {
		return err
	}
	var r T
	if err := json.Unmarshal(e.text, &r); err != nil {
		return fmt.Errorf("%w: %w", errEntry, err)
	}
	return f(&r)
}
