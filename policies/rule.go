package policies

import (
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/policies/internal/rules"
	"github.com/forepost/forepost/relay/pipeline"
)

// rule compiles one verb block.
func (c *compiler) rule(blk *hclsyntax.Block) {
	l := c.l
	v, ok := verbs[blk.Type]
	if !ok {
		l.bag.Error(diag.UnknownVerb, blk.TypeRange, "\""+blk.Type+"\" is not something a rule can do.", diag.DidYouMean(blk.Type, append(keysOf(verbs), "use")))
		return
	}
	if !v.at(c.stage) {
		l.bag.Error(diag.VerbNotHere, blk.TypeRange, blk.Type+" is not possible in the "+c.stage.String()+" phase.", "It is possible in: "+v.phaseNames()+".")
		return
	}
	if !l.label(blk, 1, blk.Type+" \"name\"") {
		return
	}
	b := l.body(blk)
	r := &rules.Rule{Path: c.where + "." + blk.Type + "." + blk.Labels[0], Verb: blk.Type, Slot: -1, At: blk.DefRange().Filename + ":" + itoa(blk.DefRange().Start.Line)}
	if c.seen[r.Path] {
		l.bag.Error(diag.Duplicate, blk.DefRange(), "There is a rule "+r.Path+" already.", "Give each rule of a verb in a phase its own name.")
	}
	c.seen[r.Path] = true
	var refs expr.Refs
	r.When, refs = c.conditions(b, c.when, c.refs)
	r.Facts = refs.Facts
	c.common(r, b)
	rc := &ruleCompiler{compiler: c, r: r, b: b, scope: l.env.In(c.stage)}
	v.compile(rc)
	b.done()
	rc.scope.Refs.Merge(&refs)
	c.add(r, rc, blk)
}

// ruleCompiler compiles what is a verb's own.
type ruleCompiler struct {
	*compiler
	r     *rules.Rule
	b     *body
	scope *expr.Scope // of the rule's expressions
}

// conditions adds a block's `when` to those around it.
func (c *compiler) conditions(b *body, around []expr.Term, refs expr.Refs) ([]expr.Term, expr.Refs) {
	terms := around[:len(around):len(around)]
	x, ok := b.attr("when")
	if !ok {
		return terms, refs
	}
	s := c.l.env.In(c.stage)
	terms = append(terms, s.Terms(x)...)
	s.Refs.Merge(&refs)
	return terms, s.Refs
}

func (c *compiler) modeOf(b *body) rules.Mode {
	switch b.word("mode", "enforce", "enforce", "shadow", "off") {
	case "shadow":
		return rules.Shadow
	case "off":
		return rules.Off
	}
	return rules.Enforce
}

// common reads what every verb has.
func (c *compiler) common(r *rules.Rule, b *body) {
	l := c.l
	r.Mode = max(c.mode, c.modeOf(b))
	r.Class = l.class(b, "class")
	r.Tags = l.tags(b, "tags")
	b.text("note", "")
	c.since(r, b)
	if r.Verb == "score" && r.Class == "" {
		r.Class = "spam"
	}
}

// class is a declared class; score is of class spam unless it says otherwise.
func (l *loader) class(b *body, name string) string {
	s := b.text(name, "")
	if s != "" && !l.classes[s] {
		l.bag.Error(diag.UndeclaredClass, b.rangeOf(name), "The class \""+s+"\" is not declared.", orElse(suggest(s, keysOf(l.classes)), "Declare it: classes = [\""+s+"\"]."))
	}
	return s
}

func suggest(word string, known []string) string {
	if n := diag.Nearest(word, known); n != "" {
		return "Did you mean \"" + n + "\"?"
	}
	return ""
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// tags are words that become keywords in the store (RFC 3501 section 9, flag-keyword).
func (l *loader) tags(b *body, name string) []string {
	tags := b.texts(name)
	for _, t := range tags {
		if t == "" || len(t) > 64 || strings.ContainsFunc(t, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`(){%*"\]`, r) }) {
			b.bad(name, "\""+t+"\" is no tag.", "A tag is one word of letters, digits and - _ . :")
		}
	}
	return tags
}

// add puts a finished rule into the policy.
func (c *compiler) add(r *rules.Rule, rc *ruleCompiler, blk *hclsyntax.Block) {
	refs := &rc.scope.Refs
	r.Written = c.l.source(blk)
	r.PerRcpt = refs.PerRcpt
	if r.Slot >= 0 {
		in := c.l.instances[r.Slot]
		r.PerRcpt = r.PerRcpt || in.scope == pipeline.PerRecipient
	}
	if r.Mode != rules.Off {
		for s := range refs.Slots {
			c.p.slots[s] = true
		}
		if r.Slot >= 0 {
			c.p.slots[r.Slot] = true
		}
	}
	c.l.ruleAt[r] = blk.DefRange()
	c.lintRule(r, refs, blk)
	c.p.stages[c.stage] = append(c.p.stages[c.stage], r)
}
