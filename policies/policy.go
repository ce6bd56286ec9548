package policies

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/policies/internal/rules"
	"github.com/forepost/forepost/relay/pipeline"
)

// policy is a compiled policy before its filters are built.
type policy struct {
	name       string
	stages     [pipeline.Deliver + 1][]*rules.Rule
	thresholds rules.Thresholds
	partial    pipeline.Action
	mixed      bool         // the attribute partial is there: who wrote the policy thought of mixes
	slots      map[int]bool // of the filters that its rules ask
}

var stageNames = []string{"connect", "helo", "mail", "rcpt", "data", "deliver"}

func stageOf(name string) (pipeline.Stage, bool) {
	for i, n := range stageNames {
		if n == name {
			return pipeline.Stage(i), true
		}
	}
	return 0, false
}

// allPolicies compiles every policy that is written; the built-in one only where
// something names it.
func (l *loader) allPolicies() {
	l.each("policy", func(name string, b *body) { l.policies[name] = l.compilePolicy(name, b) })
	l.each("rules", func(name string, b *body) { l.checkRules(name, b) })
}

// policy sees to it that the policy a listener names is compiled.
func (l *loader) policy(name string, at hcl.Range) {
	if l.policies[name] != nil || name != "recommended" {
		return
	}
	if blk := l.stock("policy", at); blk != nil {
		l.policies[name] = l.compilePolicy(name, l.body(blk))
	}
}

// compiler compiles the rules of one policy.
type compiler struct {
	l     *loader
	p     *policy
	stage pipeline.Stage
	where string          // prefix of paths: inbound.rcpt, inbound.rcpt.common
	when  []expr.Term     // of the `use` around
	refs  expr.Refs       // of `when`
	mode  rules.Mode      // of the `use` around
	seen  map[string]bool // paths
	ended map[pipeline.Stage]*ender
	again map[string]*ender // rules that end their phase under a condition, by stage and condition
}

// ender is a rule that always ends its phase.
type ender struct {
	what string
	line int
}

func (l *loader) compilePolicy(name string, b *body) *policy {
	p := &policy{name: name, partial: pipeline.Quarantine, slots: map[int]bool{}}
	p.thresholds = l.thresholds(b)
	before := l.bag.Errors()
	switch b.word("partial", "quarantine", "quarantine", "discard", "bounce") {
	case "discard":
		p.partial = pipeline.Discard
	case "bounce":
		p.partial = pipeline.Reject
	}
	p.mixed = b.has("partial")
	if p.mixed && l.bag.Errors() == before && p.partial == pipeline.Quarantine {
		l.needQuarantine(b.rangeOf("partial"), "partial = quarantine")
	}
	if p.thresholds.Quarantine != nil {
		l.needQuarantine(b.rangeOf("thresholds"), "The quarantine threshold")
	}
	b.blocks = stageNames
	b.done()
	c := &compiler{l: l, p: p, seen: map[string]bool{}, ended: map[pipeline.Stage]*ender{}, again: map[string]*ender{}}
	c.phases(b.b, name)
	return p
}

// phases compiles the phase blocks of a policy.
func (c *compiler) phases(b *hclsyntax.Body, name string) {
	written := map[string]bool{}
	for _, blk := range b.Blocks {
		stage, ok := stageOf(blk.Type)
		if !ok {
			continue // said by done
		}
		c.l.label(blk, 0, blk.Type)
		if written[blk.Type] {
			c.l.bag.Error(diag.Duplicate, blk.TypeRange, "The phase "+blk.Type+" stands twice in this policy.", "Put its rules into one block: their order matters.")
		}
		written[blk.Type] = true
		c.stage, c.where = stage, name+"."+blk.Type
		c.phase(blk.Body)
	}
}

// phase compiles the rules of a phase block in order.
func (c *compiler) phase(b *hclsyntax.Body) {
	for _, a := range sortedAttributes(b) {
		c.l.bag.Error(diag.UnknownAttribute, a.NameRange, "A phase block holds rules, no attributes.", "Put it into a rule.")
	}
	for _, blk := range b.Blocks {
		if blk.Type == "use" {
			c.use(blk)
			continue
		}
		c.rule(blk)
	}
}

// use runs the rules of a rules block here.
func (c *compiler) use(blk *hclsyntax.Block) {
	l := c.l
	if !l.label(blk, 1, "use \"common\"") {
		return
	}
	name := blk.Labels[0]
	inner := *c
	b := l.body(blk)
	inner.when, inner.refs = c.conditions(b, c.when, c.refs)
	inner.mode = max(c.mode, c.modeOf(b))
	b.done()
	target := l.named["rules"][name]
	if target == nil && name == "recommended" {
		target = l.stock("rules", blk.DefRange())
	}
	if target == nil {
		l.bag.Error(diag.UnknownReference, blk.LabelRanges[0], "There is no rules \""+name+"\".", diag.DidYouMean(name, append(keysOf(l.named["rules"]), "recommended")))
		return
	}
	l.used["rules."+name] = true
	if l.pending[name] {
		l.bag.Error(diag.Circle, blk.DefRange(), "rules \""+name+"\" uses itself.", "Take one of the uses out.")
		return
	}
	l.pending[name] = true
	defer delete(l.pending, name)
	if name != c.p.name { // the built-in policy's rules are its own
		inner.where = c.where + "." + name
	}
	for _, phase := range target.Body.Blocks {
		if s, ok := stageOf(phase.Type); ok && s == c.stage {
			inner.phase(phase.Body)
			return
		}
	}
	l.bag.Error(diag.UnknownReference, blk.DefRange(), "rules \""+name+"\" has nothing for the "+c.stage.String()+" phase.", "Use it in a phase that it has rules for.")
}

// checkRules finds what is wrong with a rules block that nothing uses.
func (l *loader) checkRules(name string, b *body) {
	b.blocks = stageNames
	b.done()
	if l.used["rules."+name] {
		return
	}
	before := len(l.instances)
	c := &compiler{l: l, p: &policy{name: name, mixed: true, slots: map[int]bool{}}, seen: map[string]bool{}, ended: map[pipeline.Stage]*ender{}, again: map[string]*ender{}}
	c.phases(b.b, name)
	l.instances = l.instances[:before]
}

func (l *loader) needQuarantine(at hcl.Range, what string) {
	if l.fallback != "" {
		return
	}
	for _, d := range l.set.Domains {
		if d.Quarantine == "" {
			l.whichQuarantine(at, what)
			return
		}
	}
	if len(l.set.Domains) == 0 {
		l.whichQuarantine(at, what)
	}
}

func (l *loader) whichQuarantine(at hcl.Range, what string) {
	l.bag.Error(diag.WhichQuarantine, at, what+" needs a quarantine, and it is not clear which.",
		"Declare one (quarantine \"spam\" { }), or give each domain its own: quarantine = quarantine.name.")
}
