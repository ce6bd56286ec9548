package policies

import (
	"fmt"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/policies/internal/rules"
)

// longTrial is how long a rule is on trial before somebody should look.
const longTrial = 60 * 24 * time.Hour

// since reads when a trial began, and gives advice where that is long ago. A
// file that nobody wrote to since then is as old as its rules at least.
func (c *compiler) since(r *rules.Rule, b *body) {
	l := c.l
	began, err := time.Time{}, error(nil)
	if s := b.text("since", ""); s != "" {
		if began, err = time.Parse(time.DateOnly, s); err != nil {
			b.bad("since", "\""+s+"\" is no date.", "Write since = \"2026-11-01\".")
			return
		}
	}
	if r.Mode == rules.Shadow {
		r.Trial = "shadow"
		if !began.IsZero() {
			r.Trial += " since " + began.Format(time.DateOnly)
		}
	}
	if r.Mode != rules.Shadow || c.mode == rules.Shadow {
		return
	}
	if began.IsZero() {
		if began, err = l.o.ModTime(b.at.Filename); err != nil {
			return // a built-in file, or one that is in memory
		}
	}
	if age := l.o.Now().Sub(began); age > longTrial {
		l.bag.Warn(diag.LongTrial, b.rangeOf("mode"), fmt.Sprintf("The rule is on trial for %d days.", int(age.Hours()/24)),
			"See what it would have done (its outcomes are \"would\" in the trail), then write mode = enforce or take it out.")
	}
}

// excluded is the first of the terms that cannot hold together with t.
func excluded(terms []expr.Term, t *expr.Term) *expr.Term {
	for i := range terms {
		if terms[i].Excludes(t) {
			return &terms[i]
		}
	}
	return nil
}

// lintAgain finds a rule whose condition ended the phase in an earlier one. That
// one must not be of a class that may be skipped while this one is not.
func (c *compiler) lintAgain(r *rules.Rule, blk *hclsyntax.Block) {
	if r.Slot >= 0 || len(r.When) == 0 || r.Mode == rules.Off {
		return
	}
	texts := []string{c.stage.String()}
	for i := range r.When {
		texts = append(texts, r.When[i].Text())
	}
	key := strings.Join(texts, " && ")
	for _, class := range []string{"", r.Class} {
		if e := c.again[class+" "+key]; e != nil {
			c.l.bag.Warn(diag.NeverRuns, blk.DefRange(), fmt.Sprintf("An earlier rule in this phase (%s, line %d) ends it under the same condition.", e.what, e.line), "Take one of the two out.")
			return
		}
	}
	if r.End != nil && r.Mode == rules.Enforce {
		c.again[r.Class+" "+key] = &ender{fmt.Sprintf("%s %q", blk.Type, blk.Labels[0]), blk.TypeRange.Start.Line}
	}
}

// lintListeners finds rules that ask blocklists about people who log in.
func (l *loader) lintListeners() {
	seen := map[string]bool{}
	for _, ls := range l.set.Listeners {
		p := l.policies[ls.Policy]
		if ls.Auth == "" || p == nil || seen[ls.Policy] {
			continue
		}
		seen[ls.Policy] = true
		for _, rs := range p.stages {
			for _, r := range rs {
				l.lintTrusted(r, ls.Name)
			}
		}
	}
}

// lintTrusted gives its advice where a rule answers on a blocklist's word alone.
func (l *loader) lintTrusted(r *rules.Rule, listener string) {
	asks := false
	for _, f := range r.Facts {
		if strings.HasPrefix(f.Path, "auth.") || f.Path == "session.trusted" {
			return
		}
		asks = asks || strings.HasPrefix(f.Path, "dnsbl.")
	}
	if asks && r.End != nil && r.Mode == rules.Enforce {
		l.bag.Warn(diag.TrustedBlocklist, l.ruleAt[r], "The listener \""+listener+"\" uses this policy, and people log in there.", "Add && !auth.ok, or give that listener a policy of its own.")
	}
}
