package policies

import (
	"sort"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
)

// body reads the attributes of one block. Each reader names the attribute that
// it knows; done then reports what nobody knew. A reader that meets a mistake
// reports it and returns its default, so that one Load finds them all.
type body struct {
	l      *loader
	b      *hclsyntax.Body
	at     hcl.Range // of the block's type and labels
	what   string    // listener "edge"
	known  []string
	blocks []string // types of blocks inside that are known
}

func (l *loader) body(b *hclsyntax.Block) *body {
	what := b.Type
	for _, label := range b.Labels {
		what += " \"" + label + "\""
	}
	return &body{l: l, b: b.Body, at: b.DefRange(), what: what}
}

// attr finds an attribute and makes it known.
func (b *body) attr(name string) (hclsyntax.Expression, bool) {
	b.known = append(b.known, name)
	a, ok := b.b.Attributes[name]
	if !ok {
		return nil, false
	}
	return a.Expr, true
}

// has tells whether an attribute is written, without making it known.
func (b *body) has(name string) bool { return b.b.Attributes[name] != nil }

// rangeOf is where an attribute's value stands, or else the block.
func (b *body) rangeOf(name string) hcl.Range {
	if a := b.b.Attributes[name]; a != nil {
		return a.Expr.Range()
	}
	return b.at
}

// require reports an attribute that is not there.
func (b *body) require(name, fix string) bool {
	if b.has(name) {
		return true
	}
	b.l.bag.Error(diag.MissingAttribute, b.at, b.what+" needs "+name+".", fix)
	return false
}

// asked is told of each block that was read: a test compares what was asked for
// with what is documented.
var asked func(*body)

// done reports attributes and blocks that nobody asked for.
func (b *body) done() {
	if asked != nil {
		asked(b)
	}
	for _, a := range sortedAttributes(b.b) {
		if !contains(b.known, a.Name) {
			b.l.bag.Error(diag.UnknownAttribute, a.NameRange, b.what+" has no attribute \""+a.Name+"\".", diag.DidYouMean(a.Name, b.known))
		}
	}
	for _, in := range b.b.Blocks {
		if !contains(b.blocks, in.Type) {
			fix := diag.DidYouMean(in.Type, b.blocks)
			if contains(b.known, in.Type) {
				fix = "It is an attribute: write " + in.Type + " = ..."
			}
			b.l.bag.Error(diag.UnknownBlock, in.TypeRange, b.what+" has no block \""+in.Type+"\".", fix)
		}
	}
}

// bad reports a value of the right type and the wrong form.
func (b *body) bad(name, text, fix string) {
	b.l.bag.Error(diag.BadValue, b.rangeOf(name), text, fix)
}

// value is the value of an attribute that must be known at start and of a type.
func (b *body) value(name string, want expr.Type) (*expr.Value, bool) {
	x, ok := b.attr(name)
	if !ok {
		return nil, false
	}
	return b.l.constant(x, name, want)
}

// constant compiles an expression of a setting.
func (l *loader) constant(x hclsyntax.Expression, name string, want expr.Type) (*expr.Value, bool) {
	if w := hcl.ExprAsKeyword(x); w != "" && w != "true" && w != "false" {
		l.bag.Error(diag.WrongType, x.Range(), name+" is a "+want.String()+", not a bare word.", quoteFix(w, want))
		return nil, false
	}
	v := l.env.Settings().Compile(x)
	if v.Type == expr.Invalid {
		return nil, false
	}
	if v.Type != want {
		l.bag.Error(diag.WrongType, x.Range(), name+" is a "+want.String()+", and this is a "+v.Type.String()+".", plainFix(want, v.Type))
		return nil, false
	}
	return v, true
}

// plainFix is what makes a value of the type that is wanted.
func plainFix(want, is expr.Type) string {
	switch {
	case want == expr.String && is == expr.Number:
		return "Put it in quotes; a time or a size has its unit there: \"5m\", \"20MB\"."
	case want == expr.Number && is == expr.String:
		return "A number stands without quotes."
	case want == expr.Bool:
		return "Write true or false, without quotes."
	case want == expr.String && is == expr.Strings:
		return "It has one value: make a block for each."
	}
	return ""
}

func quoteFix(w string, want expr.Type) string {
	if want == expr.String {
		return "Put it in quotes: \"" + w + "\"."
	}
	return ""
}

// label takes the labels that a block must have.
func (l *loader) label(b *hclsyntax.Block, n int, like string) bool {
	if len(b.Labels) == n {
		return true
	}
	l.bag.Error(diag.WrongLabels, b.DefRange(), "The block "+b.Type+" has "+labels(n)+".", "Write "+like+" { }.")
	return false
}

func labels(n int) string {
	return [...]string{"no label", "one label, its name", "two labels, its kind and its name"}[n]
}

func sortedAttributes(b *hclsyntax.Body) []*hclsyntax.Attribute {
	as := make([]*hclsyntax.Attribute, 0, len(b.Attributes))
	for _, a := range b.Attributes {
		as = append(as, a)
	}
	sort.Slice(as, func(i, j int) bool { return as[i].SrcRange.Start.Byte < as[j].SrcRange.Start.Byte })
	return as
}

func contains(ss []string, s string) bool {
	for _, x := range ss {
		if x == s {
			return true
		}
	}
	return false
}
