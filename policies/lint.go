package policies

import (
	"fmt"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/policies/internal/rules"
	"github.com/forepost/forepost/relay/pipeline"
)

// lintRule gives advice on a rule that is not wrong.
func (c *compiler) lintRule(r *rules.Rule, refs *expr.Refs, blk *hclsyntax.Block) {
	bag := c.l.bag
	c.lintAgain(r, blk)
	if e := c.ended[c.stage]; e != nil && r.Mode != rules.Off {
		bag.Warn(diag.NeverRuns, blk.DefRange(), fmt.Sprintf("An earlier rule in this phase (%s, line %d) ends it for every message.", e.what, e.line), "Move this rule above it, or give that one a condition.")
	}
	always := true
	for i := range r.When {
		t := &r.When[i]
		if o := excluded(r.When[:i], t); o != nil {
			always = false
			bag.Warn(diag.NeverRuns, blk.DefRange(), "Its condition asks for "+o.Text()+" and for "+t.Text()+", which are never both so.", "Write || between them, or make two rules.")
		}
		if !t.Value.Const {
			always = false
		} else if t.Value.Bool(nil) == expr.No {
			always = false
			bag.Warn(diag.NeverRuns, blk.DefRange(), "Its condition is false whatever the mail.", "To switch a rule off, write mode = off.")
		}
	}
	if always && r.End != nil && r.Slot < 0 && r.Mode == rules.Enforce && c.ended[c.stage] == nil && c.l.bag.Errors() == 0 {
		c.ended[c.stage] = &ender{fmt.Sprintf("%s %q", blk.Type, blk.Labels[0]), blk.TypeRange.Start.Line}
	}
	if asksRecipient(r.Facts) && c.stage == pipeline.Data && r.End != nil && r.End.Action == pipeline.Reject && r.Mode == rules.Enforce && !c.p.mixed {
		bag.Warn(diag.Mixed, blk.DefRange(), "It can reject a message for one recipient and not for another, and SMTP has one answer for all of them.",
			"Say in the policy what becomes of those that reject: partial = quarantine, discard or bounce. Without it they go to the quarantine, or bounce where there is none.")
	}
	if r.Verb == "skip" && refs.Forgeable && !refs.Proven {
		bag.Warn(diag.ForgeableSkip, blk.DefRange(), "The condition asks only for what the sender claims, and anybody can claim it.", "Add && spf.result == \"pass\", or dkim or dmarc.")
	}
}

// asksRecipient tells whether a rule can hold for one recipient and not for
// another of the same message.
func asksRecipient(facts []*expr.Fact) bool {
	for _, f := range facts {
		if strings.HasPrefix(f.Path, "rcpt.") && f.Path != "rcpt.count" {
			return true
		}
	}
	return false
}

// lint finds what is declared and not used. Where there are errors, what uses it
// may be what is wrong.
func (l *loader) lint() {
	if l.bag.Errors() > 0 {
		return
	}
	l.lintLists()
	l.lintListeners()
	l.lintCerts()
	l.lintPorts()
	l.each("list", func(name string, b *body) {
		if !l.env.ListsUsed[name] {
			l.bag.Warn(diag.Unused, b.at, "Nothing refers to list."+name+".", "Ask it in a rule (listed(x, list."+name+")), or take it out.")
		}
	})
	if l.usesFallback() {
		l.used["quarantine."+l.fallback] = true
	}
	for _, typ := range []string{"route", "quarantine", "tls", "redis"} {
		l.each(typ, func(name string, b *body) {
			if !l.used[typ+"."+name] && !(typ == "tls" && l.usesAllCerts()) {
				l.bag.Warn(diag.Unused, b.at, "Nothing refers to "+typ+"."+name+".", "Refer to it where it is meant to serve, or take it out.")
			}
		})
	}
}

// usesAllCerts tells whether a server chooses among all certificates.
func (l *loader) usesAllCerts() bool {
	for _, v := range l.set.Listeners {
		if len(v.Certs) == 0 && v.TLS != TLSOff {
			return true
		}
	}
	for _, v := range append(l.set.IMAP[:len(l.set.IMAP):len(l.set.IMAP)], l.set.POP3...) {
		if len(v.Certs) == 0 && v.TLS != TLSOff {
			return true
		}
	}
	return false
}

// usesFallback tells whether something goes to the quarantine that is meant where
// none is named.
func (l *loader) usesFallback() bool {
	for _, p := range l.policies {
		if p == nil {
			continue
		}
		if p.thresholds.Quarantine != nil || p.mixed && p.partial == pipeline.Quarantine {
			return true
		}
		for _, r := range p.stages[data] {
			if r.End != nil && r.Verb == "quarantine" && r.End.Into == "" {
				return true
			}
		}
	}
	for _, d := range l.set.Domains {
		if d.thresholds.Quarantine != nil {
			return true
		}
	}
	for _, in := range l.instances {
		if in.onError == onErrors["quarantine"] {
			return true
		}
	}
	return false
}
