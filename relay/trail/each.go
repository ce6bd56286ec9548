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
	memory := t.buf.unwritten()
	seen := map[string]bool{}
	for _, p := range memory {
		seen[string(p)] = true
	}
	one := func(p []byte) error { return within(p, since, until, f) }
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

// within hands a record of that time to f.
func within(p []byte, since, until time.Time, f func(*Record) error) error {
	e, err := decode(p)
	if err != nil || e.what != isRecord || e.at.Before(since) || !e.at.Before(until) {
		return err
	}
	var r Record
	if err := json.Unmarshal(e.text, &r); err != nil {
		return fmt.Errorf("%w: %w", errEntry, err)
	}
	return f(&r)
}
