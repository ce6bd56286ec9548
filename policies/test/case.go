package test

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/policies/internal/rules"
)

// runner runs the cases of one file against a configuration.
type runner struct {
	cfg   *policies.Config
	plans *policies.Policies
	stage *stage
	f     *file
	facts map[string]*expr.Fact // by path
	rules map[string]*rules.Rule
}

func newRunner(cfg *policies.Config, plans *policies.Policies, st *stage, f *file) *runner {
	r := &runner{cfg: cfg, plans: plans, stage: st, f: f, facts: map[string]*expr.Fact{}, rules: map[string]*rules.Rule{}}
	for _, fact := range cfg.Env().Facts.All() {
		r.facts[fact.Path] = fact
	}
	for _, name := range cfg.Names("policy") {
		for _, rule := range plans.Rules(name) {
			r.rules[rule.Path] = rule
		}
	}
	return r
}

// oneCase is a case with one value of its for_each, bound to the configuration.
type oneCase struct {
	name    string
	block   *hclsyntax.Block
	scene   *scene
	expects []*expectation
	asserts []*assertion
}

// bindAll makes the cases of the file ready to be played, and reports all that
// is wrong with them.
func (r *runner) bindAll() (all []*oneCase) {
	for _, b := range r.f.cases {
		x, ok := b.Body.Attributes["for_each"]
		if !ok {
			all = append(all, r.bind(b, b.Labels[0], cty.NilVal, cty.NilVal))
			continue
		}
		v, ds := x.Expr.Value(r.f.context(cty.NilVal, cty.NilVal))
		if ds.HasErrors() || v.IsNull() || !v.CanIterateElements() || v.LengthInt() == 0 {
			r.f.bag.Error(diag.WrongType, x.Expr.Range(), "for_each is a list or an object with something in it.", "Write for_each = [\"exe\", \"js\"].")
			continue
		}
		for it := v.ElementIterator(); it.Next(); {
			key, value := it.Element()
			all = append(all, r.bind(b, b.Labels[0]+" ["+label(v, key, value)+"]", key, value))
		}
	}
	for _, g := range r.f.given {
		r.noBlocks(g)
	}
	return all
}

// label tells the runs of a case apart.
func label(all, key, value cty.Value) string {
	if n := fromCty(value, hcl.Range{}); n != nil && n.leaf != nil {
		return n.text()
	}
	return fromCty(key, hcl.Range{}).text()
}

func (r *runner) noBlocks(b *hclsyntax.Block) {
	for _, in := range b.Body.Blocks {
		r.f.bag.Error(diag.UnknownBlock, in.TypeRange, "given has no blocks.", "Write them in the cases.")
	}
}

// bind puts a case together: what it uses, what it states itself, what it
// expects.
func (r *runner) bind(b *hclsyntax.Block, name string, key, value cty.Value) *oneCase {
	c := &oneCase{name: name, block: b}
	ctx := r.f.context(key, value)
	all := r.gather(b, ctx, map[string]bool{})
	c.scene = r.scene(all, b.DefRange())
	for _, in := range b.Body.Blocks {
		switch in.Type {
		case "expect":
			c.expects = append(c.expects, r.expect(in, ctx, c.scene))
		case "assert":
			c.asserts = append(c.asserts, r.assert(in))
		default:
			r.f.bag.Error(diag.UnknownBlock, in.TypeRange, "A case has no block \""+in.Type+"\".", diag.DidYouMean(in.Type, []string{"expect", "assert"}))
		}
	}
	if len(c.expects)+len(c.asserts) == 0 {
		r.f.bag.Error(diag.MissingAttribute, b.DefRange(), "The case expects nothing.", "Write expect { verdict = accept }.")
	}
	return c
}

// gather are the attributes of a block over those of what it uses.
func (r *runner) gather(b *hclsyntax.Block, ctx *hcl.EvalContext, pending map[string]bool) map[string]*node {
	all := map[string]*node{}
	if x, ok := b.Body.Attributes["use"]; ok {
		for _, g := range r.uses(x.Expr) {
			if pending[g] {
				r.f.bag.Error(diag.Circle, x.Expr.Range(), "given \""+g+"\" uses itself.", "Take one of the uses out.")
				continue
			}
			pending[g] = true
			for k, v := range r.gather(r.f.given[g], ctx, pending) {
				all[k] = v.over(all[k])
			}
			delete(pending, g)
		}
	}
	for _, a := range b.Body.Attributes {
		if a.Name == "use" || a.Name == "for_each" && b.Type == "case" {
			continue
		}
		if v := r.attribute(a, ctx); v != nil {
			all[a.Name] = v.over(all[a.Name])
		}
	}
	return all
}

func (r *runner) attribute(a *hclsyntax.Attribute, ctx *hcl.EvalContext) *node {
	if a.Name == "listener" {
		name, _ := r.ref(a.Expr, a.Name, "listener") // "" where it is wrong, which was said
		return &node{at: a.Expr.Range(), leaf: name}
	}
	return r.f.eval(a.Expr, ctx)
}

// uses are the names of given["x"], or of a list of such.
func (r *runner) uses(x hclsyntax.Expression) (names []string) {
	elements := []hclsyntax.Expression{x}
	if t, ok := x.(*hclsyntax.TupleConsExpr); ok {
		elements = t.Exprs
	}
	for _, e := range elements {
		name, ok := givenName(e)
		if !ok {
			r.f.bag.Error(diag.WrongType, e.Range(), "use names a given block.", "Write use = given[\"a stranger\"].")
			continue
		}
		if r.f.given[name] == nil {
			r.f.bag.Error(diag.UnknownReference, e.Range(), "There is no given \""+name+"\".", diag.DidYouMean(name, keys(r.f.given)))
			continue
		}
		names = append(names, name)
	}
	return names
}

func givenName(x hclsyntax.Expression) (string, bool) {
	t, ds := hcl.AbsTraversalForExpr(x)
	if ds.HasErrors() || len(t) != 2 || t.RootName() != "given" {
		return "", false
	}
	switch step := t[1].(type) {
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String {
			return step.Key.AsString(), true
		}
	case hcl.TraverseAttr:
		return step.Name, true
	}
	return "", false
}

// ref is a reference to a block of the configuration: listener.edge.
func (r *runner) ref(x hclsyntax.Expression, name, typ string) (string, bool) {
	t, ds := hcl.AbsTraversalForExpr(x)
	if !ds.HasErrors() && len(t) == 2 && t.RootName() == typ {
		if step, ok := t[1].(hcl.TraverseAttr); ok {
			if known := r.cfg.Names(typ); !has(known, step.Name) {
				r.f.bag.Error(diag.UnknownReference, x.Range(), "There is no "+typ+" \""+step.Name+"\" in the configuration.", diag.DidYouMean(step.Name, known))
				return "", false
			}
			return step.Name, true
		}
	}
	r.f.bag.Error(diag.WrongType, x.Range(), name+" is a reference to a "+typ+" block.", "Write "+name+" = "+typ+".name.")
	return "", false
}

func keys[T any](m map[string]T) (ks []string) {
	for k := range m {
		ks = append(ks, k)
	}
	return ks
}
