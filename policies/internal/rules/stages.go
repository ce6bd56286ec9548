package rules

import (
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
	w.ledgers(to)
	w.trace.begin(w)
	v, ended := w.walk(to)
	w.trace.end(w)
	if ended {
		w.stand(&v)
	}
	if l := w.own(); l != nil {
		keep(l, &w.notes)
	}
	if !ended {
		return nil
	}
	return []pipeline.Verdict{v}
}

// own is the ledger of what the stage is about.
func (w *walker) own() *pipeline.Ledger {
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
	w.ledgers(to)
	w.trace.begin(w)
	v, _ := w.walk(to)
	w.trace.end(w)
	v.Ledger = w.merge()
	return []pipeline.Verdict{v}
}

// data answers for each recipient.
func (w *walker) data() []pipeline.Verdict {
	if len(w.tx.To) > 1 {
		w.outs = make([]outcome, len(w.p.stages[w.at]))
	}
	w.trace.begin(w)
	vs := make([]pipeline.Verdict, len(w.tx.To))
	for i := range w.tx.To {
		if i > 0 && w.p.sameForAll && w.alike(i) {
			vs[i] = vs[0]
			vs[i].To = i
			continue
		}
		if i > 0 || w.tx.Current != 0 {
			w.r.For(i)
		}
		vs[i] = w.recipient(i)
	}
	w.trace.end(w)
	return vs
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
func (w *walker) recipient(i int) pipeline.Verdict {
	w.ledgers(i)
	v, ended := pipeline.Verdict{To: i}, false
	if rule := w.standing(func(l *pipeline.Ledger) string { return l.Discard }); rule != "" {
		v.Action, v.Rule, ended = pipeline.Discard, rule, true
	} else {
		v, ended = w.walk(i)
	}
	thresholds, quarantine := w.p.forRecipient(&w.tx.To[i])
	if !ended {
		v = w.end(i, thresholds)
	}
	if v.Action == pipeline.Accept || v.Action == pipeline.None {
		if rule := w.standing(func(l *pipeline.Ledger) string { return l.Hold }); rule != "" {
			v.Action, v.Rule = pipeline.Hold, rule
		}
	}
	w.place(&v, quarantine)
	w.edits.finish(w.tx.Part, &w.notes)
	v.Ledger = w.merge()
	return v
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

func (w *walker) standing(of func(*pipeline.Ledger) string) string {
	for _, l := range w.before {
		if l != nil && of(l) != "" {
			return of(l)
		}
	}
	return ""
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
	return [4]*pipeline.Ledger{w.before[0], w.before[1], w.before[2], &w.notes}
}

func whyUnsure(names []string) string { return strings.Join(names, ", ") + " could not tell" }
