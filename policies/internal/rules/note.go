package rules

import (
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/route"
)

// note does what a rule does that does not end its phase.
func (w *walker) note(rule *Rule, to int) {
	n := w.notes
	w.tag(rule.Tags)
	w.tag(rule.Add)
	if rule.Symbols != nil {
		w.score(rule, to)
	}
	for _, c := range rule.Skip {
		if !has(n.Skip, c) {
			n.Skip = append(n.Skip, c)
			w.skips = true
		}
	}
	n.Copies = append(n.Copies, rule.Copies...)
	if rule.Sign {
		signWith(n, rule.Keys, rule.Canon)
	}
	n.Seal = n.Seal || rule.Seal
	if rule.Seal {
		w.r.Ask(rule.Chain) // now: what is not found when the verdict stands is given up
	}
	if rule.Verb == "route" && n.Route == "" { // the first that matches
		n.Route = w.choice(rule)
	}
	if rule.Modify != nil {
		w.edits.modify(w.r, rule.Modify)
	}
}

// choice is what a route rule chooses. One that asks only for better TLS or for a
// source keeps the route that an earlier stage chose, and does not weaken what
// that asked.
func (w *walker) choice(rule *Rule) string {
	name, tls, source := rule.Route, rule.TLS, rule.Source
	for _, l := range w.before {
		if l != nil && l.Route != "" && rule.Route == "" {
			before, had := route.ParseChoice(l.Route)
			name, tls = before, max(tls, had)
			if _, from := route.CutSource(l.Route); !source.IsValid() {
				source = from
			}
		}
	}
	return route.WithSource(route.Choice(name, tls), source)
}

func (w *walker) tag(tags []string) {
	if len(tags) > 0 && len(w.r.Tags) == 0 { // and so are those of notes
		w.notes.Tags = joined(nil, tags)
		w.r.Tags = append(w.r.Tags, tags...)
		return
	}
	for _, t := range tags {
		if !has(w.r.Tags, t) {
			w.notes.Tags = append(w.notes.Tags, t)
			w.r.Tags = append(w.r.Tags, t)
		}
	}
}

// score adds up the symbols that hold.
func (w *walker) score(rule *Rule, to int) {
	symbols := w.symbols(rule)
	for i := range symbols {
		w.notes.Points += symbols[i].Points
		w.r.Points += symbols[i].Points
	}
	w.notes.Symbols = joined(w.notes.Symbols, symbols)
	w.trace.symbols(w, rule, symbols, to)
}

// symbols are those that hold, found once a message where recipients cannot
// differ.
func (w *walker) symbols(rule *Rule) []pipeline.Symbol {
	var o *outcome
	if w.outs != nil && !rule.PerRcpt {
		if o = &w.outs[rule.index]; o.scored {
			w.unsure(o.unsure)
			return o.symbols
		}
	}
	var out []pipeline.Symbol
	var unsure []int
	for i := range rule.Symbols {
		s := &rule.Symbols[i]
		w.r.Begin()
		t := s.When.Bool(w.r)
		if t == expr.Unknown {
			t = w.guess(rule, rule.Path+"."+s.Name)
		}
		n, known := 0.0, true
		if t == expr.Yes {
			n, known = s.Points.Num(w.r)
		}
		if t == expr.Unknown || !known {
			unsure = append(unsure, w.r.Unsure()...)
			continue
		}
		if p := ToPoints(n); t == expr.Yes && p != 0 {
			out = append(out, pipeline.Symbol{Rule: rule.Path, Name: s.Name, Points: p})
		}
	}
	w.unsure(unsure)
	if o != nil {
		o.scored, o.symbols, o.unsure = true, out, unsure
	}
	return out
}

// merge puts what earlier stages noted about the recipient in front of what this
// walk did.
func (w *walker) merge() {
	if w.nothingBefore() {
		return
	}
	var m pipeline.Ledger
	for _, l := range w.noted() {
		if l == nil {
			continue
		}
		if len(m.Tags) == 0 { // within one ledger none stands twice
			m.Tags = joined(m.Tags, l.Tags)
		}
		for _, t := range l.Tags {
			if !has(m.Tags, t) {
				m.Tags = append(m.Tags, t)
			}
		}
		m.Points += l.Points
		m.Skip, m.Unsure = joined(m.Skip, l.Skip), joined(m.Unsure, l.Unsure)
		m.Symbols, m.Copies = joined(m.Symbols, l.Symbols), joined(m.Copies, l.Copies)
		m.Fields, m.Edits = joined(m.Fields, l.Fields), joined(m.Edits, l.Edits)
		if l.Sign {
			signWith(&m, l.Keys, l.Canon)
		}
		m.Seal = m.Seal || l.Seal
		m.Route = last(m.Route, l.Route)
		m.Hold, m.Discard = first(m.Hold, l.Hold), first(m.Discard, l.Discard)
	}
	*w.notes = m
}

func (w *walker) nothingBefore() bool {
	for _, l := range w.before {
		if l != nil && !blank(l) {
			return false
		}
	}
	return true
}

// joined is a with b behind it. Where there was nothing it is b itself, with no
// room behind, so that nobody can add to what another one reads.
func joined[T any](a, b []T) []T {
	if len(a) == 0 {
		return b[:len(b):len(b)]
	}
	return append(a, b...)
}

// signWith adds keys to those that sign; none named are all of them. The first
// rule that asks for a canonicalization has it.
func signWith(l *pipeline.Ledger, keys []string, form string) {
	l.Canon = first(l.Canon, form)
	switch {
	case len(keys) == 0:
		l.Keys = nil
	case !l.Sign:
		l.Keys = append([]string(nil), keys...)
	case len(l.Keys) > 0:
		l.Keys = append(l.Keys, keys...)
	}
	l.Sign = true
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func last(a, b string) string { return first(b, a) }

// keep adds what this walk noted to a ledger of an early stage.
func keep(l *pipeline.Ledger, n *pipeline.Ledger) {
	l.Tags = append(l.Tags, n.Tags...)
	l.Skip = append(l.Skip, n.Skip...)
	l.Unsure = append(l.Unsure, n.Unsure...)
	l.Hold, l.Discard = first(l.Hold, n.Hold), first(l.Discard, n.Discard)
}
