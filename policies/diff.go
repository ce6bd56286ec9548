package policies

import (
	"fmt"
	"sort"
	"strings"

	"github.com/forepost/forepost/policies/internal/rules"
	"github.com/forepost/forepost/relay/pipeline"
)

// Difference is one thing in which two configurations judge otherwise, as they
// are written.
type Difference struct {
	What   string `json:"what"`          // policy, rule, order, threshold, partial, listener, domain, variable, local, list, filter
	Change string `json:"change"`        // added, removed, changed, moved
	Name   string `json:"name"`          // of the policy or filter; the path of the rule
	Was    string `json:"was,omitempty"` // as written
	Now    string `json:"now,omitempty"` // as written
}

// String is the difference in words, on one line.
func (d Difference) String() string {
	s := d.What + " " + d.Name + ": " + d.Change
	if d.Change == "changed" && !strings.Contains(d.Was+d.Now, "\n") && len(d.Was)+len(d.Now) < 100 {
		s += ", " + orElse(d.Was, "none") + " → " + orElse(d.Now, "none")
	}
	return s
}

// Diff tells in what two configurations differ that judges mail: policies in order
// of their names, then listeners, domains, variables, locals, lists and filters.
func Diff(old, new *Config) (ds []Difference) {
	names := keysOf(old.l.policies)
	for n := range new.l.policies {
		if old.l.policies[n] == nil {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	for _, n := range names {
		a, b := old.l.policies[n], new.l.policies[n]
		switch {
		case a == nil:
			ds = append(ds, Difference{What: "policy", Change: "added", Name: n})
		case b == nil:
			ds = append(ds, Difference{What: "policy", Change: "removed", Name: n})
		default:
			ds = append(ds, diffPolicy(a, b)...)
		}
	}
	return append(ds, diffAround(old.l, new.l)...)
}

func diffPolicy(a, b *policy) (ds []Difference) {
	for _, t := range []struct {
		name     string
		was, now *pipeline.Points
	}{{"tag", a.thresholds.Tag, b.thresholds.Tag}, {"quarantine", a.thresholds.Quarantine, b.thresholds.Quarantine}, {"reject", a.thresholds.Reject, b.thresholds.Reject}} {
		if was, now := pointsText(t.was), pointsText(t.now); was != now {
			ds = append(ds, Difference{What: "threshold", Change: "changed", Name: a.name + "." + t.name, Was: was, Now: now})
		}
	}
	if a.partial != b.partial {
		ds = append(ds, Difference{What: "partial", Change: "changed", Name: a.name, Was: partialWord(a.partial), Now: partialWord(b.partial)})
	}
	for at := range a.stages {
		ds = append(ds, diffRules(a.stages[at], b.stages[at])...)
	}
	return ds
}

// partialWord is the word for what becomes of those that reject.
func partialWord(a pipeline.Action) string {
	if a == pipeline.Reject {
		return "bounce"
	}
	return a.String()
}

func pointsText(p *pipeline.Points) string {
	if p == nil {
		return ""
	}
	return rules.FormatPoints(*p)
}

// diffRules compares the rules of a stage: by their paths, then by their order.
func diffRules(a, b []*rules.Rule) (ds []Difference) {
	was, now := byPath(a), byPath(b)
	var common [2][]string
	for _, r := range a {
		if now[r.Path] == nil {
			ds = append(ds, Difference{What: "rule", Change: "removed", Name: r.Path, Was: r.Written})
			continue
		}
		common[0] = append(common[0], r.Path)
	}
	for _, r := range b {
		before := was[r.Path]
		if before == nil {
			ds = append(ds, Difference{What: "rule", Change: "added", Name: r.Path, Now: r.Written})
			continue
		}
		common[1] = append(common[1], r.Path)
		if strings.Join(strings.Fields(before.Written), " ") != strings.Join(strings.Fields(r.Written), " ") {
			ds = append(ds, Difference{What: "rule", Change: "changed", Name: r.Path, Was: before.Written, Now: r.Written})
		}
	}
	for i := range common[0] {
		if common[0][i] != common[1][i] {
			return append(ds, Difference{What: "order", Change: "moved", Name: common[1][i],
				Was: fmt.Sprintf("at its place was %s", common[0][i])})
		}
	}
	return ds
}

func byPath(list []*rules.Rule) map[string]*rules.Rule {
	m := map[string]*rules.Rule{}
	for _, r := range list {
		m[r.Path] = r
	}
	return m
}

// blocksOf are the blocks of filters, as written.
func blocksOf(l *loader) map[string]string {
	m := map[string]string{}
	for _, in := range l.instances {
		if in.block != nil {
			m[in.name] = l.source(in.block)
		}
	}
	return m
}
