package test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/policies/internal/rules"
	"github.com/forepost/forepost/relay/inbound"
	"github.com/forepost/forepost/relay/pipeline"
)

// compare says what of an expectation did not come, and why.
func (r *runner) compare(ctx context.Context, res *Result, c *oneCase, e *expectation, p *played) {
	for i := range p.Fates {
		f := &p.Fates[i]
		if e.to != "" && e.to != f.To.String() {
			continue
		}
		before := len(res.Failures)
		r.compareOne(res, e, p, i)
		if len(res.Failures) == before {
			continue
		}
		if len(p.Fates) > 1 {
			for j := before; j < len(res.Failures); j++ {
				res.Failures[j] = f.To.String() + ": " + res.Failures[j]
			}
		}
		if e.verdict != "" && e.verdict != f.Action.String() || e.saysBy && e.by != f.Rule {
			res.Why = append(res.Why, r.why(ctx, c, e, p, i)...)
		}
	}
}

func (r *runner) compareOne(res *Result, e *expectation, p *played, i int) {
	f := &p.Fates[i]
	differ := func(what, want, got string) {
		res.Failures = append(res.Failures, fmt.Sprintf("%s: want %s, got %s", what, want, got))
	}
	if e.verdict != "" && e.verdict != f.Action.String() {
		differ("verdict", e.verdict, f.Action.String()+r.score(p, f, e.verdict))
	}
	if e.saysBy && e.by != f.Rule {
		differ("by", orNothing(e.by), orNothing(f.Rule))
	}
	if at := stageOf(f.Rule); e.at != "" && e.at != at {
		differ("at", e.at, orNothing(at))
	}
	if e.reply != "" && e.reply != f.Reply {
		differ("reply", fmt.Sprintf("%q", e.reply), fmt.Sprintf("%q", f.Reply))
	}
	if e.route != "" && e.route != p.routes[i] {
		differ("route", e.route, orNothing(p.routes[i]))
	}
	if e.into != "" && e.into != f.Into {
		differ("into", e.into, orNothing(f.Into))
	}
	if e.saysTags && !same(e.tags, f.Ledger.Tags) {
		differ("tags", set(e.tags), set(f.Ledger.Tags))
	}
	if shadow := would(p, f); e.saysShadow && !same(e.shadow, shadow) {
		differ("shadow", set(e.shadow), set(shadow))
	}
}

// score is what the points were, beside the threshold that was to be reached.
func (r *runner) score(p *played, f *inbound.Fate, verdict string) string {
	t := r.plans.Thresholds(p.plan.Info().Name, f.To.Domain)
	if t == (rules.Thresholds{}) {
		return ""
	}
	said := " (score " + rules.FormatPoints(f.Ledger.Points)
	if at := map[string]*pipeline.Points{"quarantine": t.Quarantine, "reject": t.Reject}[verdict]; at != nil {
		said += " of " + rules.FormatPoints(*at)
	}
	return said + ")"
}

// would are the rules on trial that would have acted for a recipient.
func would(p *played, f *inbound.Fate) (paths []string) {
	for _, t := range p.Rules {
		if t.Outcome == "would" && (t.To == "" || t.To == f.To.String()) && !has(paths, t.Path) {
			paths = append(paths, t.Path)
		}
	}
	return paths
}

// stageOf is the phase that a path decides in: its own, that of the gates before
// policies, or data for thresholds and on_error.
func stageOf(path string) string {
	parts := strings.Split(path, ".")
	switch {
	case path == "":
		return ""
	case parts[0] == "builtin" && parts[1] == "submission":
		return "mail"
	case parts[0] == "builtin" && strings.HasPrefix(parts[1], "re"):
		return "rcpt"
	case len(parts) > 2 && has(stageWords, parts[1]):
		return parts[1]
	}
	return "data"
}

// check evaluates an assertion, for each recipient.
func (r *runner) check(ctx context.Context, res *Result, a *assertion, c *oneCase, p *played) {
	if a.cond == nil {
		return
	}
	for i := range p.Fates {
		run := r.run(ctx, p, i)
		if a.cond.Bool(run) == expr.Yes {
			continue
		}
		text := first(a.error, a.text)
		res.Failures = append(res.Failures, fmt.Sprintf("assert, line %d: %s", a.line, text))
		res.Why = append(res.Why, showAll(a.facts, run))
	}
}

func same(a, b []string) bool {
	x, y := slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(slices.Compact(x), slices.Compact(y))
}

func set(ss []string) string {
	if len(ss) == 0 {
		return "none"
	}
	return strings.Join(ss, ", ")
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}
