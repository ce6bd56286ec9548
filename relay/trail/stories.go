package trail

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail/index"
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
	g := gatherer{t: t, id: []byte(id), seen: map[string]bool{}, stories: map[mail.ID]*Story{}}
	w := &wanted{rows: [][]index.Token{{index.Of(tokSession, string(id.Session()))}}}
	for _, s := range t.j.Segments() {
		if !s.Sealed.IsZero() && s.Sealed.Before(id.Time().Add(-clockSlack)) {
			continue // an ID is as old as its session
		}
		err := t.visit(context.Background(), s, w, func(h hit, _ bool) (bool, error) { return false, g.add(h) })
		if err != nil {
			return nil, err
		}
	}
	for _, p := range memory {
		if err := g.add(hit{p: p}); err != nil {
			return nil, err
		}
	}
	return g.result(), nil
}

// clockSlack is how far a clock may have been set back.
const clockSlack = time.Hour

// gatherer puts stories together.
type gatherer struct {
	t       *Trail
	id      []byte
	seen    map[string]bool // entries, whole
	stories map[mail.ID]*Story
}

func (g *gatherer) add(h hit) error {
	e, err := decode(h.p)
	if err != nil {
		return err
	}
	if e.what == isWords || !bytes.HasPrefix(e.id, g.id) || g.seen[string(h.p)] {
		return nil
	}
	g.seen[string(h.p)] = true
	s := g.stories[mail.ID(e.id)]
	if s == nil {
		s = &Story{}
		g.stories[mail.ID(e.id)] = s
	}
	if e.what == isEvent {
		ev, err := readEvent(&e)
		s.Events = append(s.Events, ev)
		return err
	}
	s.Record, err = g.t.read(&e, h.segment)
	return err
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
