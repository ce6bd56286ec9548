package trail

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// Story is all that is known of one transaction (or session without one).
// Nothing known is the zero Story and no error.
func (t *Trail) Story(id mail.ID) (Story, error) {
	all, err := t.Stories(id)
	for _, s := range all {
		if s.id() == id {
			return s, err
		}
	}
	return Story{}, err
}

// Stories is all that is known of one transaction, or, by the ID of a session,
// of all its transactions, in their order. What was written before the call is
// found.
func (t *Trail) Stories(id mail.ID) ([]Story, error) {
	if !id.Valid() {
		return nil, fmt.Errorf("trail: %q is not an ID: those have %d or %d characters", string(id), mail.SessionIDLen, mail.TransactionIDLen)
	}
	memory := t.buf.unwritten() // before the segments: what moves between the two is seen twice, and counted once
	g := gatherer{id: []byte(id), seen: map[string]bool{}, stories: map[mail.ID]*Story{}}
	for _, s := range t.j.Segments() {
		if !s.Sealed.IsZero() && s.Sealed.Before(id.Time().Add(-clockSlack)) {
			continue // an ID is as old as its session
		}
		if err := t.gather(s, &g); err != nil {
			return nil, err
		}
	}
	for _, p := range memory {
		if err := g.add(p); err != nil {
			return nil, err
		}
	}
	return g.result(), nil
}

// clockSlack is how far a clock may have been set back.
const clockSlack = time.Hour

// gather reads a segment, unless its sieve says that nothing is there. The
// sieve of a sealed segment is made on the way.
func (t *Trail) gather(s journal.Segment, g *gatherer) error {
	t.sieveMu.Lock()
	sieve, known := t.sieves[s.Number]
	t.sieveMu.Unlock()
	if known && !sieve.has(hashID(g.id)) {
		return nil
	}
	hashes := map[uint64]struct{}{}
	sealed := !s.Sealed.IsZero()
	err := t.j.Scan(context.Background(), s.Number, func(_ journal.Kind, p []byte) error {
		if sealed && !known {
			e, err := decode(p)
			if err != nil {
				return err
			}
			hashes[hashID(e.id)] = struct{}{}
		}
		return g.add(p)
	})
	if err == nil && sealed && !known {
		t.sieveMu.Lock()
		t.sieves[s.Number] = newSieve(hashes)
		t.sieveMu.Unlock()
	}
	return err
}

// gatherer puts stories together.
type gatherer struct {
	id      []byte
	seen    map[string]bool // entries, whole
	stories map[mail.ID]*Story
}

func (g *gatherer) add(p []byte) error {
	e, err := decode(p)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(e.id, g.id) || g.seen[string(p)] {
		return nil
	}
	g.seen[string(p)] = true
	s := g.stories[mail.ID(e.id)]
	if s == nil {
		s = &Story{}
		g.stories[mail.ID(e.id)] = s
	}
	if e.what == isEvent {
		var ev Event
		if err := json.Unmarshal(e.text, &ev); err != nil {
			return fmt.Errorf("%w: %w", errEntry, err)
		}
		s.Events = append(s.Events, ev)
		return nil
	}
	var r Record
	if err := json.Unmarshal(e.text, &r); err != nil {
		return fmt.Errorf("%w: %w", errEntry, err)
	}
	s.Record = &r
	return nil
}

func (g *gatherer) result() []Story {
	var all []Story
	for _, s := range g.stories {
		slices.SortStableFunc(s.Events, func(a, b Event) int { return a.Time.Compare(b.Time) })
		all = append(all, *s)
	}
	slices.SortFunc(all, func(a, b Story) int { return cmp.Compare(a.id(), b.id()) })
	return all
}

// id is the ID of what a story is about.
func (s *Story) id() mail.ID {
	switch {
	case s.Record != nil:
		return s.Record.ID
	case len(s.Events) > 0:
		return s.Events[0].ID
	}
	return ""
}
