package rules

import (
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// walker goes through the rules of a stage, for one recipient after the other.
type walker struct {
	p  *Plan
	r  *expr.Run
	at pipeline.Stage
	tx *pipeline.Transaction

	before [3]*pipeline.Ledger // of session, transaction and recipient
	notes  *pipeline.Ledger    // what this walk notes, for the recipient: own, or that of a verdict
	own    pipeline.Ledger     // of a stage before Data
	edits  editor              // what modify rules want, for the recipient
	outs   []outcome           // of Data rules that are the same for all
	trace  tracer
	can    []int // rules that were looked up
	shadow bool  // the rule in question changes nothing
	skips  bool  // a class of rules is skipped
}

// forget lets go of everything that a message brought; what it keeps is memory
// that the next one can use.
func (w *walker) forget() {
	w.r.Forget()
	w.edits.reset()
	if !blank(&w.own) {
		w.own = pipeline.Ledger{}
	}
	w.p, w.tx, w.before, w.notes, w.outs, w.trace = nil, nil, [3]*pipeline.Ledger{}, nil, nil, tracer{}
}

// outcome is what a rule came to that does not depend on the recipient.
type outcome struct {
	done    bool
	t       expr.Tri
	term    int
	unsure  []int
	symbols []pipeline.Symbol
	scored  bool
}

// ledgers puts what earlier stages noted in front; what this one notes goes to
// notes, which is blank.
func (w *walker) ledgers(to int, notes *pipeline.Ledger) {
	if w.tx.Session != nil {
		w.before[0] = &w.tx.Session.Ledger
	}
	if w.at >= pipeline.Mail {
		w.before[1] = &w.tx.Ledger
	}
	if w.at >= pipeline.Rcpt && to >= 0 && to < len(w.tx.To) {
		w.before[2] = &w.tx.To[to].Ledger
	}
	w.notes = notes
	w.edits.reset()
	w.skips = false
	w.r.Points, w.r.Tags = 0, w.r.Tags[:0]
	for _, l := range w.before {
		if l != nil {
			w.r.Points += l.Points
			w.r.Tags = append(w.r.Tags, l.Tags...)
			w.skips = w.skips || len(l.Skip) > 0
		}
	}
}

// walk runs the rules in order and stops at the first that ends the phase, whose
// answer it puts into v.
func (w *walker) walk(to int, v *pipeline.Verdict) (ended bool) {
	if l := w.p.lookups[w.at]; l != nil && w.mayLookUp() {
		return w.lookUp(l, to, v)
	}
	return w.each(w.p.stages[w.at], to, v)
}

// each asks rules one by one.
func (w *walker) each(rules []*Rule, to int, v *pipeline.Verdict) (ended bool) {
	for _, rule := range rules {
		if rule.Mode == Off {
			continue
		}
		if w.skips && w.skipped(rule.Class) {
			w.trace.skipped(w, rule, to)
			continue
		}
		if w.one(rule, to) {
			w.verdict(rule, v)
			return true
		}
	}
	return false
}

// one runs a rule, and tells whether it ends the phase.
func (w *walker) one(rule *Rule, to int) (ends bool) {
	w.shadow = rule.Mode == Shadow
	switch t, term := w.holds(rule); {
	case t == expr.No:
		w.trace.miss(w, rule, w.missed(rule, term), to)
		return false
	case t == expr.Unknown:
		w.trace.rule(w, rule, rule.lines.now("unknown", w.whoIsUnsure()), to)
		return false
	}
	if rule.Slot >= 0 && !w.strikes(rule, to) {
		return false
	}
	if w.shadow {
		w.trace.rule(w, rule, rule.lines.would, to)
		return false
	}
	switch {
	case rule.Strip != nil:
		if !w.strips(rule, to) {
			return false
		}
	case rule.Slot < 0 && rule.Symbols == nil:
		w.trace.rule(w, rule, rule.lines.yes, to)
	}
	w.note(rule, to)
	return rule.End != nil
}

// holds evaluates a rule's condition, once a message where it is the same for
// all recipients.
func (w *walker) holds(rule *Rule) (expr.Tri, int) {
	if w.outs != nil && !rule.PerRcpt && w.outs[rule.index].done {
		o := &w.outs[rule.index]
		w.unsure(o.unsure)
		return o.t, o.term
	}
	w.r.Begin()
	t, term := expr.Eval(w.r, rule.When)
	if t == expr.Unknown {
		if t = w.guess(rule, rule.Path); t == expr.Yes {
			term = -1
		}
	}
	if t == expr.Unknown {
		w.unsure(w.r.Unsure())
	}
	if w.outs != nil && !rule.PerRcpt {
		o := &w.outs[rule.index]
		o.done, o.t, o.term = true, t, term
		if t == expr.Unknown {
			o.unsure = append([]int(nil), w.r.Unsure()...)
		}
	}
	return t, term
}

// strikes asks the filter in place of limit and greylist.
func (w *walker) strikes(rule *Rule, to int) bool {
	w.r.Begin()
	facts, known := w.r.Ask(rule.Slot)
	if !known && w.guess(rule, rule.Path+" counts") == expr.Yes {
		facts, known = pipeline.Facts{rule.Fact: true}, true
	}
	if !known {
		w.unsure(w.r.Unsure())
		w.trace.rule(w, rule, rule.lines.now("unknown", w.whoIsUnsure()), to)
		return false
	}
	hit, _ := facts[rule.Fact].(bool)
	limit, why := rule.Verb == "limit", counted(facts)
	switch {
	case hit && w.shadow: // it would have
	case limit && hit:
		w.trace.rule(w, rule, rule.lines.now("over", why), to)
	case limit:
		w.trace.rule(w, rule, rule.lines.now("under", why), to)
	case hit:
		w.trace.rule(w, rule, rule.lines.now("yes", why), to)
	case why != "":
		w.trace.miss(w, rule, rule.lines.now("no", why), to)
	default:
		w.trace.miss(w, rule, rule.lines.no, to)
	}
	return hit
}

// unsure notes filters that were asked and could not tell, where that matters.
func (w *walker) unsure(slots []int) {
	if w.shadow {
		return
	}
	for _, s := range slots {
		in := w.p.instances[s]
		if in.OnError != pipeline.ErrorIgnored && !has(w.notes.Unsure, in.Name) {
			w.notes.Unsure = append(w.notes.Unsure, in.Name)
		}
	}
}

func (w *walker) whoIsUnsure() string {
	for _, s := range w.r.Unsure() {
		return w.p.instances[s].Name + " could not tell"
	}
	return ""
}

func (w *walker) skipped(class string) bool {
	if class == "" || !w.skips {
		return false
	}
	for _, l := range w.before {
		if l != nil && has(l.Skip, class) {
			return true
		}
	}
	return has(w.notes.Skip, class)
}

// verdict is the answer of a rule that ends its phase.
func (w *walker) verdict(rule *Rule, v *pipeline.Verdict) {
	e := rule.End
	v.Action, v.Rule, v.Into = e.Action, rule.Path, e.Into
	if e.Action.Refuses() {
		v.Reply = mail.Reply{Class: e.Class, Basic: e.Basic, Subject: e.Subject, Text: replyText(e.Text, w.r, w.tx.SMTPUTF8)}
	}
	for _, n := range e.Notify {
		s, _ := n.Str(w.r)
		if a, err := mail.ParseAddress(s, true); err == nil && !a.IsNull() && (n.Const || e.Ours[a.Domain]) {
			v.Notify = append(v.Notify, a)
		}
	}
}

func has(ss []string, s string) bool {
	for _, x := range ss {
		if x == s {
			return true
		}
	}
	return false
}
