package rules

import (
	"strconv"

	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// maxMisses bounds how many rules that did not match a stage writes down one by
// one; the rest are counted in one line. A record must stay small however many
// rules there are.
const maxMisses = 100

// tracer writes what the rules of a stage came to.
type tracer struct {
	to     *[]*trail.Rule
	misses int
	seen   []bool // rules that are the same for all recipients are written once
}

// rule writes one outcome.
func (t *tracer) rule(w *walker, rule *Rule, line *trail.Rule, to int) {
	if t.to != nil && t.first(w, rule) {
		t.write(w, line, t.about(w, rule.PerRcpt, to))
	}
}

// miss writes that a rule did not match, if there is room.
func (t *tracer) miss(w *walker, rule *Rule, line *trail.Rule, to int) {
	if t.to == nil || !t.first(w, rule) {
		return
	}
	if t.misses++; t.misses <= maxMisses {
		t.write(w, line, t.about(w, rule.PerRcpt, to))
	}
}

// skipped writes that a rule was not asked, for each recipient anew: what was
// noted may differ.
func (t *tracer) skipped(w *walker, rule *Rule, to int) {
	if t.to == nil {
		return
	}
	if t.misses++; t.misses <= maxMisses {
		t.write(w, rule.lines.skipped, t.about(w, true, to))
	}
}

// symbols writes what the lines of a score came to.
func (t *tracer) symbols(w *walker, rule *Rule, symbols []pipeline.Symbol, to int) {
	if len(symbols) == 0 {
		t.miss(w, rule, rule.lines.no, to)
		return
	}
	if t.to == nil || !t.first(w, rule) {
		return
	}
	about, i := t.about(w, rule.PerRcpt, to), 0
	for j := range symbols { // they are in the rule's order
		for rule.Symbols[i].Name != symbols[j].Name {
			i++
		}
		t.write(w, rule.Symbols[i].worth(&rule.lines, symbols[j].Points), about)
		i++
	}
}

// first tells whether a rule is to be written: one that is the same for all
// recipients is written once.
func (t *tracer) first(w *walker, rule *Rule) bool {
	if t.seen == nil || rule.PerRcpt { // it is asked once
		return true
	}
	if t.seen[rule.index] {
		return false
	}
	t.seen[rule.index] = true
	return true
}

// about is the recipient that an outcome is for, where there are several.
func (t *tracer) about(w *walker, differs bool, to int) string {
	if !differs || w.at != pipeline.Data || len(w.tx.To) < 2 {
		return ""
	}
	return w.tx.To[to].Address.String()
}

func (t *tracer) write(w *walker, line *trail.Rule, about string) {
	if about != "" {
		line = line.For(about)
	}
	if len(*t.to) == cap(*t.to) {
		t.grow(w)
	}
	*t.to = append(*t.to, line)
}

// grow makes room at once for the stage and those after it that write to the same
// record.
func (t *tracer) grow(w *walker) {
	bigger := make([]*trail.Rule, len(*t.to), len(*t.to)+w.p.room[w.at])
	copy(bigger, *t.to)
	*t.to = bigger
}

// rooms are how many lines a stage and those after it may write to one record.
func (p *Plan) rooms() {
	for at := range p.stages {
		last := pipeline.Data
		switch at := pipeline.Stage(at); {
		case at < pipeline.Mail:
			last = pipeline.Helo
		case at == pipeline.Deliver:
			last = pipeline.Deliver
		}
		p.room[at] = 4
		for i := pipeline.Stage(at); i <= last; i++ {
			p.room[at] += min(len(p.stages[i]), maxMisses)
		}
	}
}

func (t *tracer) begin(w *walker) {
	t.to = sessionTrace(w)
	if w.outs != nil && t.to != nil {
		t.seen = make([]bool, len(w.p.stages[w.at]))
	}
}

// end counts what was not written.
func (t *tracer) end(w *walker) {
	if t.to != nil && t.misses > maxMisses {
		*t.to = append(*t.to, &trail.Rule{Stage: w.at.String(), Path: w.p.info.Name + "." + w.at.String(), Outcome: "no",
			Why: strconv.Itoa(t.misses-maxMisses) + " more rules did not match"})
	}
}

// line writes something that is no rule of the policy: thresholds, on_error.
func (t *tracer) line(w *walker, path, why string, to int) {
	if t.to == nil {
		return
	}
	address := ""
	if len(w.tx.To) > 1 {
		address = w.tx.To[to].Address.String()
	}
	*t.to = append(*t.to, &trail.Rule{Stage: "end", Path: path, Outcome: "yes", Why: why, To: address})
}

// sessionTrace is where a stage before Mail is traced.
func sessionTrace(w *walker) *[]*trail.Rule {
	if w.at < pipeline.Mail && w.tx.Session != nil {
		return &w.tx.Session.Trace
	}
	if w.tx.Trace == nil {
		return nil
	}
	return &w.tx.Trace.Rules
}
