package test

import (
	"context"
	"slices"
	"strings"

	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/policies/internal/rules"
	"github.com/forepost/forepost/relay/trail"
)

// why tells what decided, and why what was expected did not.
func (r *runner) why(ctx context.Context, c *oneCase, e *expectation, p *played, i int) (lines []string) {
	f := &p.Fates[i]
	run := r.run(ctx, p, i)
	if others := decidedFor(p, f.Rule); len(others) > 0 && !slices.Contains(others, f.To.String()) {
		lines = append(lines, f.Rule+" decided for "+strings.Join(others, ", ")+", and the data have one reply for all recipients")
	} else if rule := r.rules[f.Rule]; rule != nil {
		lines = append(lines, f.Rule+" decided ("+rule.At+")"+colon(showAll(rule.Facts, run)))
	} else if f.Rule != "" && f.Rule != e.by {
		lines = append(lines, f.Rule+" decided")
	}
	if rule := r.rules[e.by]; rule != nil && e.by != f.Rule {
		lines = append(lines, e.by+" ("+rule.At+") "+r.fate(rule, p, run))
	}
	if e.by == "" && f.Rule == "" || strings.Contains(e.by, ".thresholds.") {
		lines = append(lines, r.silent(p, run, f.To.String())...)
	}
	return lines
}

// decidedFor are the recipients for whom a rule of the data phase decided; none
// where it did so for all.
func decidedFor(p *played, path string) (to []string) {
	for _, t := range p.Rules {
		if t.Path != path || t.Outcome != "yes" {
			continue
		}
		if t.To == "" {
			return nil
		}
		to = append(to, t.To)
	}
	return to
}

// fate is what became of a rule that was expected to decide.
func (r *runner) fate(rule *rules.Rule, p *played, run *expr.Run) string {
	if rule.Mode == rules.Off {
		return "is off"
	}
	t := trace(p.Rules, rule.Path)
	switch {
	case t == nil && !strings.HasPrefix(rule.Path, p.plan.Info().Name+"."):
		return "is not of policy " + p.plan.Info().Name + ", which the listener has"
	case t == nil:
		return "was not reached"
	case t.Outcome == "skipped":
		return "was skipped: " + t.Why
	case t.Outcome == "would":
		return "would have: it is on trial (mode = shadow)"
	case t.Outcome == "yes", t.Outcome == "over":
		return "did fire"
	case rule.Slot >= 0 && t.Why != "" && !strings.HasPrefix(t.Why, "not "):
		return "did not fire: " + t.Why
	}
	return "did not fire" + colon(first(showAll(rule.Facts, run), t.Why))
}

// trace is the first line about a rule, nil where there is none.
func trace(all []*trail.Rule, path string) *trail.Rule {
	for _, t := range all {
		if t.Path == path {
			return t
		}
	}
	return nil
}

// silent are the lines of scores that gave no points.
func (r *runner) silent(p *played, run *expr.Run, to string) (lines []string) {
	for _, rule := range r.plans.Rules(p.plan.Info().Name) {
		for i := range rule.Symbols {
			s := &rule.Symbols[i]
			if fired(p.Rules, rule.Path+"."+s.Name, to) || len(s.Facts) == 0 {
				continue
			}
			lines = append(lines, rule.Path+"."+s.Name+" did not fire: "+showAll(s.Facts, run))
		}
	}
	return lines
}

func fired(all []*trail.Rule, path, to string) bool {
	for _, t := range all {
		if t.Path == path && (t.To == "" || t.To == to) {
			return true
		}
	}
	return false
}

// showAll is what facts were.
func showAll(facts []*expr.Fact, run *expr.Run) string {
	var parts []string
	for _, f := range facts {
		parts = append(parts, f.Path+" was "+f.Show(run))
	}
	return strings.Join(parts, ", ")
}

func colon(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s
}
