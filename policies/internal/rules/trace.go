package rules

import (
	"strconv"
	"time"

	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// maxMisses bounds how many rules that did not match a stage writes down one by
// one; the rest are counted in one line. A record must stay small however many
// rules there are.
const maxMisses = 100

// tracer writes what the rules of a stage came to.
type tracer struct {
	to     *[]trail.Rule
	misses int
	seen   []bool // rules that are the same for all recipients are written once
}

// rule writes one outcome; what is not to be written costs no memory.
func (t *tracer) rule(w *walker, rule *Rule, outcome, why string, to int) {
	if t.to == nil || outcome != "skipped" && !t.first(w, rule) {
		return
	}
	if outcome == "no" || outcome == "skipped" {
		if t.misses++; t.misses > maxMisses {
			return
		}
	}
	t.write(w, rule.Path, outcome, why, t.about(w, rule, outcome, to))
}

// symbols writes what the lines of a score came to.
func (t *tracer) symbols(w *walker, rule *Rule, symbols []pipeline.Symbol, to int) {
	if len(symbols) == 0 {
		t.rule(w, rule, "no", "", to)
		return
	}
	if t.to == nil || !t.first(w, rule) {
		return
	}
	for i := range symbols {
		path, worth := rule.written(&symbols[i])
		t.write(w, path, worth, "", t.about(w, rule, "", to))
	}
}

// first tells whether a rule is to be written: one that is the same for all
// recipients is written once.
func (t *tracer) first(w *walker, rule *Rule) bool {
	if w.at != pipeline.Data || rule.PerRcpt {
		return true
	}
	if t.seen == nil { // there is one recipient
		return true
	}
	if t.seen[rule.index] {
		return false
	}
	t.seen[rule.index] = true
	return true
}

// about is the recipient that an outcome is for, where there are several.
func (t *tracer) about(w *walker, rule *Rule, outcome string, to int) string {
	if w.at != pipeline.Data || len(w.tx.To) < 2 || !rule.PerRcpt && outcome != "skipped" {
		return ""
	}
	return w.tx.To[to].Address.String()
}

func (t *tracer) write(w *walker, path, outcome, why, to string) {
	t.grow(w)
	*t.to = append(*t.to, trail.Rule{Stage: w.at.String(), Path: path, Outcome: outcome, Why: why, To: to})
}

// grow makes room at once for the stage and those after it that write to the same
// record.
func (t *tracer) grow(w *walker) {
	if len(*t.to) < cap(*t.to) {
		return
	}
	last := pipeline.Data
	switch {
	case w.at < pipeline.Mail:
		last = pipeline.Helo
	case w.at == pipeline.Deliver:
		last = pipeline.Deliver
	}
	room := 4
	for at := w.at; at <= last; at++ {
		room += min(len(w.p.stages[at]), maxMisses)
	}
	bigger := make([]trail.Rule, len(*t.to), len(*t.to)+room)
	copy(bigger, *t.to)
	*t.to = bigger
}

func (t *tracer) begin(w *walker) {
	t.to = sessionTrace(w)
	if w.at == pipeline.Data && t.to != nil && len(w.tx.To) > 1 {
		t.seen = make([]bool, len(w.p.stages[w.at]))
	}
}

// end counts what was not written.
func (t *tracer) end(w *walker) {
	if t.to != nil && t.misses > maxMisses {
		*t.to = append(*t.to, trail.Rule{Stage: w.at.String(), Path: w.p.info.Name + "." + w.at.String(), Outcome: "no",
			Why: strconv.Itoa(t.misses-maxMisses) + " more rules did not match"})
	}
}

// line writes something that is no rule of the policy: thresholds, on_error.
func (t *tracer) line(w *walker, path, outcome, why string, to int) {
	if t.to == nil {
		return
	}
	address := ""
	if len(w.tx.To) > 1 {
		address = w.tx.To[to].Address.String()
	}
	*t.to = append(*t.to, trail.Rule{Stage: "end", Path: path, Outcome: outcome, Why: why, To: address})
}

// counted tells the numbers of a limit, or how long a greylist still waits.
func counted(f pipeline.Facts) string {
	if limit, ok := f["limit"].(float64); ok {
		count, _ := f["count"].(float64)
		return strconv.FormatFloat(count, 'f', -1, 64) + " of " + strconv.FormatFloat(limit, 'f', -1, 64)
	}
	if wait, ok := f["wait"].(time.Duration); ok && wait > 0 {
		return "wait " + wait.Round(time.Second).String()
	}
	return ""
}
