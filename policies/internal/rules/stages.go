package rules

import (
	"slices"
	"strings"

	"github.com/forepost/forepost/relay/pipeline"
)

// early runs a stage before Data, for the session, the transaction or the
// recipient in question, and keeps what it noted in that one's ledger.
func (w *walker) early() []pipeline.Verdict {
	to := -1
	if w.at == pipeline.Rcpt {
		to = w.tx.Current
	}
	w.ledgers(to, &w.own)
	w.trace.begin(w)
	v := pipeline.Verdict{To: to}
	ended := w.walk(to, &v)
	w.trace.end(w)
	if ended {
		w.stand(&v)
	}
	if l := w.noting(); l != nil && !blank(&w.own) {
		keep(l, &w.own)
	}
	if !ended {
		return nil
	}
	return []pipeline.Verdict{v}
}

// noting is the ledger of what the stage is about.
func (w *walker) noting() *pipeline.Ledger {
	switch w.at {
	case pipeline.Mail:
		return w.before[1]
	case pipeline.Rcpt:
		return w.before[2]
	}
	return w.before[0]
}

// stand notes a verdict that does not refuse anything yet, for Data to return.
func (w *walker) stand(v *pipeline.Verdict) {
	switch v.Action {
	case pipeline.Hold:
		w.notes.Hold = v.Rule
	case pipeline.Discard:
		w.notes.Discard = v.Rule
	}
}

// deliver runs the rules of an attempt: it always answers, for its ledger.
func (w *walker) deliver() []pipeline.Verdict {
	to := w.tx.Current
	vs := []pipeline.Verdict{{To: to}}
	w.ledgers(to, &vs[0].Ledger)
	w.trace.begin(w)
	w.walk(to, &vs[0])
	w.trace.end(w)
	w.merge()
	return vs
}

// data answers for each recipient.
func (w *walker) data() []pipeline.Verdict {
	several := !w.allAlike()
	if several {
		w.outs = make([]outcome, len(w.p.stages[w.at]))
	}
	w.trace.begin(w)
	vs := make([]pipeline.Verdict, len(w.tx.To))
	for i := range w.tx.To {
		if i > 0 && (!several || w.p.sameForAll && w.alike(i)) {
			if i == 1 {
				clip(&vs[0].Ledger)
			}
			vs[i] = vs[0]
			vs[i].To = i
			continue
		}
		if i > 0 || w.tx.Current != 0 {
			w.r.For(i)
		}
		vs[i].To = i
		w.recipient(i, &vs[i])
	}
	w.trace.end(w)
	return vs
}

// clip leaves no room behind what was noted, so that nobody who adds to it adds to
// what another one reads.
func clip(l *pipeline.Ledger) {
	l.Tags, l.Skip, l.Symbols, l.Fields = slices.Clip(l.Tags), slices.Clip(l.Skip), slices.Clip(l.Symbols), slices.Clip(l.Fields)
	l.Edits, l.Copies, l.Keys, l.Unsure = slices.Clip(l.Edits), slices.Clip(l.Copies), slices.Clip(l.Keys), slices.Clip(l.Unsure)
}

// allAlike tells whether the rules need be asked once only.
func (w *walker) allAlike() bool {
	for i := 1; i < len(w.tx.To); i++ {
		if !w.p.sameForAll || !w.alike(i) {
			return false
		}
	}
	return true
}

// alike tells whether recipient i has nothing that could make its verdict other
// than the first one's.
func (w *walker) alike(i int) bool {
	a, b := &w.tx.To[0], &w.tx.To[i]
	if !blank(&a.Ledger) || !blank(&b.Ledger) {
		return false
	}
	if a.Acceptance.Domain != "" || b.Acceptance.Domain != "" {
		return a.Acceptance.Domain == b.Acceptance.Domain
	}
	return a.Address.Domain == b.Address.Domain
}

func blank(l *pipeline.Ledger) bool {
	return len(l.Tags) == 0 && len(l.Skip) == 0 && l.Points == 0 && len(l.Fields) == 0 && len(l.Edits) == 0 && len(l.Symbols) == 0 &&
		len(l.Copies) == 0 && !l.Sign && !l.Seal && l.Route == "" && l.Hold == "" && l.Discard == "" && len(l.Unsure) == 0
}

// recipient decides for one recipient: the rules, then the thresholds, then what
// could not be found out.
func (w *walker) recipient(i int, v *pipeline.Verdict) {
	w.ledgers(i, &v.Ledger)
	discard, hold := w.standing()
	ended := discard != ""
	if ended {
		v.Action, v.Rule = pipeline.Discard, discard
	} else {
		ended = w.walk(i, v)
	}
	thresholds, quarantine := w.p.forRecipient(&w.tx.To[i])
	if !ended {
		w.end(v, thresholds)
	}
	if hold != "" && (v.Action == pipeline.Accept || v.Action == pipeline.None) {
		v.Action, v.Rule = pipeline.Hold, hold
	}
	w.place(v, quarantine)
	w.edits.finish(w.tx.Part, w.notes)
	w.merge()
}

// place fills in the quarantine, and what happens if others are accepted.
func (w *walker) place(v *pipeline.Verdict, quarantine string) {
	switch v.Action {
	case pipeline.Quarantine:
		v.Into = first(v.Into, quarantine)
	case pipeline.Reject:
		v.Partial = w.p.partial
		if v.Partial == pipeline.Quarantine {
			if v.Into = quarantine; quarantine == "" {
				v.Partial = pipeline.Reject
			}
		}
	}
}

// standing are the rules before Data that said what becomes of the message now.
func (w *walker) standing() (discard, hold string) {
	for _, l := range w.before {
		if l != nil {
			discard, hold = first(discard, l.Discard), first(hold, l.Hold)
		}
	}
	return discard, hold
}

// unsureNames are the filters that could not tell, for every stage.
func (w *walker) unsureNames() []string {
	var names []string
	for _, l := range w.noted() {
		if l == nil {
			continue
		}
		for _, n := range l.Unsure {
			if !has(names, n) {
				names = append(names, n)
			}
		}
	}
	return names
}

// noted is all ledgers of the recipient, this walk's the last.
func (w *walker) noted() [4]*pipeline.Ledger {
	return [4]*pipeline.Ledger{w.before[0], w.before[1], w.before[2], w.notes}
}

func whyUnsure(names []string) string { return strings.Join(names, ", ") + " could not tell" }
