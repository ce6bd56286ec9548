package test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
)

// expectation is an expect block: what must come of the case, for one recipient
// or (with no label) for each.
type expectation struct {
	to      string // "" for each recipient
	verdict string
	by      string
	at      string
	reply   string
	route   string
	into    string
	tags    []string // nil where not said; all of them, in any order
	shadow  []string // likewise: rules on trial that would have acted
	saysTags, saysShadow,
	saysBy bool
}

var (
	verdictWords = []string{"accept", "reject", "defer", "drop", "discard", "quarantine", "hold"}
	stageWords   = []string{"connect", "helo", "mail", "rcpt", "data", "deliver"}
	expectWords  = []string{"verdict", "by", "at", "reply", "route", "into", "tags", "shadow"}
)

// expect reads an expect block.
func (r *runner) expect(b *hclsyntax.Block, ctx *hcl.EvalContext, sc *scene) *expectation {
	e := &expectation{}
	if len(b.Labels) > 0 {
		e.to = b.Labels[0]
		if !slices.ContainsFunc(sc.to, func(a address) bool { return a.String() == e.to }) {
			r.f.bag.Error(diag.UnknownReference, b.DefRange(), "The case has no recipient \""+e.to+"\".", "")
		}
	}
	for _, a := range b.Body.Attributes {
		r.expected(e, a, ctx)
	}
	for _, in := range b.Body.Blocks {
		r.f.bag.Error(diag.UnknownBlock, in.TypeRange, "expect has no blocks.", "")
	}
	if len(b.Body.Attributes) == 0 {
		r.f.bag.Error(diag.MissingAttribute, b.DefRange(), "The block expects nothing.", "Write verdict = accept.")
	}
	return e
}

func (r *runner) expected(e *expectation, a *hclsyntax.Attribute, ctx *hcl.EvalContext) {
	switch a.Name {
	case "verdict":
		e.verdict = r.word(a, verdictWords)
	case "at":
		e.at = r.word(a, stageWords)
	case "route":
		e.route, _ = r.ref(a.Expr, a.Name, "route")
	case "into":
		e.into, _ = r.ref(a.Expr, a.Name, "quarantine")
	case "by":
		e.by, e.saysBy = r.oneText(a, ctx), true
		if e.by != "" {
			r.decides(e.by, a.Expr.Range())
		}
	case "reply":
		e.reply = r.oneText(a, ctx)
	case "tags":
		e.tags, e.saysTags = r.someTexts(a, ctx), true
	case "shadow":
		e.shadow, e.saysShadow = r.someTexts(a, ctx), true
		for _, p := range e.shadow {
			r.decides(p, a.Expr.Range())
		}
	default:
		r.f.bag.Error(diag.UnknownAttribute, a.NameRange, "expect has no attribute \""+a.Name+"\".", diag.DidYouMean(a.Name, expectWords))
	}
}

// word is one of a closed set, written bare.
func (r *runner) word(a *hclsyntax.Attribute, words []string) string {
	w := hcl.ExprAsKeyword(a.Expr)
	if !has(words, w) {
		r.f.bag.Error(diag.UnknownWord, a.Expr.Range(), a.Name+" is one of the words "+strings.Join(words, ", ")+".", diag.DidYouMean(w, words))
	}
	return w
}

func (r *runner) oneText(a *hclsyntax.Attribute, ctx *hcl.EvalContext) string {
	n := r.f.eval(a.Expr, ctx)
	if n == nil {
		return ""
	}
	s, ok := n.leaf.(string)
	if !ok {
		r.f.bag.Error(diag.WrongType, a.Expr.Range(), a.Name+" is a string.", "")
	}
	return s
}

func (r *runner) someTexts(a *hclsyntax.Attribute, ctx *hcl.EvalContext) []string {
	n := r.f.eval(a.Expr, ctx)
	if n == nil {
		return nil
	}
	ss, ok := n.texts()
	if !ok {
		r.f.bag.Error(diag.WrongType, a.Expr.Range(), a.Name+" is a list of strings.", "")
	}
	return ss
}

// builtinRules decide before any policy, in relay/inbound.
var builtinRules = []string{"builtin.relay", "builtin.recipient", "builtin.callout", "builtin.recipients", "builtin.submission", "builtin.header", "builtin.loop"}

// decides checks that there is something of that path that can decide: a test
// that names a rule which is gone must not pass for that.
func (r *runner) decides(path string, at hcl.Range) {
	known := append([]string(nil), builtinRules...)
	for p := range r.rules {
		known = append(known, p)
	}
	for _, p := range r.cfg.Names("policy") {
		known = append(known, p+".thresholds.reject", p+".thresholds.quarantine", p+".thresholds.tag", p+".on_error")
	}
	if !has(known, path) {
		r.f.bag.Error(diag.UnknownReference, at, "There is no rule "+path+".", diag.DidYouMean(path, known))
	}
}

// assertion is an assert block: a condition over the facts at the end.
type assertion struct {
	cond  *expr.Value
	text  string // of the condition, as written
	facts []*expr.Fact
	error string
	line  int
}

// assert reads an assert block.
func (r *runner) assert(b *hclsyntax.Block) *assertion {
	a := &assertion{line: b.TypeRange.Start.Line}
	env := *r.cfg.Env()
	env.Bag, env.Sources = r.f.bag, map[string][]byte{r.f.name: r.f.text}
	for _, at := range b.Body.Attributes {
		switch at.Name {
		case "condition":
			s := env.Anywhere()
			a.cond, a.text = s.Cond(at.Expr), s.Source(at.Expr)
			a.facts = s.Refs.Facts
		case "error":
			a.error = r.oneText(at, r.f.context(noValue, noValue))
		default:
			r.f.bag.Error(diag.UnknownAttribute, at.NameRange, "assert has no attribute \""+at.Name+"\".", diag.DidYouMean(at.Name, []string{"condition", "error"}))
		}
	}
	if b.Body.Attributes["condition"] == nil {
		r.f.bag.Error(diag.MissingAttribute, b.DefRange(), "assert needs condition.", "Write condition = score.total == 7.7.")
	}
	return a
}

// text is a leaf as people write it.
func (n *node) text() string {
	if s, ok := n.leaf.(string); ok {
		return s
	}
	return fmt.Sprint(n.leaf)
}
