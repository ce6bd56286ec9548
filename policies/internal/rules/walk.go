package rules

import (
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// walker goes through the rules of a stage, for one recipient after the other.
type walker struct {
	p  *Plan
	r  *expr.Run
	at pipeline.Stage
	tx *pipeline.Transaction

	before [3]*pipeline.Ledger // of session, transaction and recipient
	notes  pipeline.Ledger     // what this walk notes, for the recipient
	edits  editor              // what modify rules want, for the recipient
	outs   []outcome           // of Data rules that are the same for all
	trace  tracer
	shadow bool // the rule in question changes nothing
}

// forget lets go of everything that a message brought; what it keeps is memory
// that the next one can use.
func (w *walker) forget() {
	w.r.Forget()
	w.edits.reset()
	w.p, w.tx, w.before, w.outs, w.trace = nil, nil, [3]*pipeline.Ledger{}, nil, tracer{}
	w.notes = pipeline.Ledger{}
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

// ledgers puts what earlier stages noted in front.
func (w *walker) ledgers(to int) {
	w.before = [3]*pipeline.Ledger{}
	if w.tx.Session != nil {
		w.before[0] = &w.tx.Session.Ledger
	}
	if w.at >= pipeline.Mail {
		w.before[1] = &w.tx.Ledger
	}
	if w.at >= pipeline.Rcpt && to >= 0 && to < len(w.tx.To) {
		w.before[2] = &w.tx.To[to].Ledger
	}
	w.notes = pipeline.Ledger{}
	w.edits.reset()
	w.r.Points, w.r.Tags = 0, w.r.Tags[:0]
	for _, l := range w.before {
		if l != nil {
			w.r.Points += l.Points
			w.r.Tags = append(w.r.Tags, l.Tags...)
		}
	}
}

// walk runs the rules in order and stops at the first that ends the phase.
func (w *walker) walk(to int) (v pipeline.Verdict, ended bool) {
	for _, rule := range w.p.stages[w.at] {
		if rule.Mode == Off {
			continue
		}
		if w.skipped(rule.Class) {
			w.trace.rule(w, rule, "skipped", "class "+rule.Class, to)
			continue
		}
		if w.one(rule, to) {
			return w.verdict(rule, to), true
		}
	}
	return pipeline.Verdict{To: to}, false
}

// one runs a rule, and tells whether it ends the phase.
func (w *walker) one(rule *Rule, to int) (ends bool) {
	w.shadow = rule.Mode == Shadow
	t, term := w.holds(rule)
	if t != expr.Yes {
		why := ""
		if term >= 0 {
			why = rule.When[term].Why(w.r)
		}
		if t == expr.Unknown {
			why = w.whoIsUnsure()
		}
		w.trace.rule(w, rule, t.String(), why, to)
		return false
	}
	if rule.Slot >= 0 && !w.strikes(rule, to) {
		return false
	}
	if rule.Mode == Shadow {
		w.trace.rule(w, rule, "would", rule.Trial, to)
		return false
	}
	switch {
	case rule.Strip != nil:
		outcome, why := w.strip(rule)
		w.trace.rule(w, rule, outcome, why, to)
		if outcome != "yes" {
			return false
		}
	case rule.Slot < 0 && rule.Symbols == nil:
		w.trace.rule(w, rule, "yes", "", to)
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
		w.trace.rule(w, rule, "unknown", w.whoIsUnsure(), to)
		return false
	}
	hit, _ := facts[rule.Fact].(bool)
	yes, no := "yes", "no"
	if rule.Verb == "limit" {
		yes, no = "over", "under"
	}
	if !hit {
		w.trace.rule(w, rule, no, counted(facts), to)
	} else if rule.Mode != Shadow {
		w.trace.rule(w, rule, yes, counted(facts), to)
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
	if class == "" {
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
func (w *walker) verdict(rule *Rule, to int) pipeline.Verdict {
	e := rule.End
	v := pipeline.Verdict{To: to, Action: e.Action, Rule: rule.Path, Into: e.Into}
	if e.Action.Refuses() {
		v.Reply = mail.Reply{Class: e.Class, Basic: e.Basic, Subject: e.Subject, Text: replyText(e.Text, w.r, w.tx.SMTPUTF8)}
	}
	for _, n := range e.Notify {
		s, _ := n.Str(w.r)
		if a, err := mail.ParseAddress(s, true); err == nil && !a.IsNull() && (n.Const || e.Ours[a.Domain]) {
			v.Notify = append(v.Notify, a)
		}
	}
	return v
}

func has(ss []string, s string) bool {
	for _, x := range ss {
		if x == s {
			return true
		}
	}
	return false
}

// sessionTrace is where a stage before Mail is traced.
func sessionTrace(w *walker) *[]trail.Rule {
	if w.at < pipeline.Mail && w.tx.Session != nil {
		return &w.tx.Session.Trace
	}
	if w.tx.Trace == nil {
		return nil
	}
	return &w.tx.Trace.Rules
}
