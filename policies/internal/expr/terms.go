package expr

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
)

// Term is one part of a condition that is a conjunction: what the trace can
// name as the reason that a rule did not match.
type Term struct {
	Value *Value
	why   string // what is so where the term is false
	word  *Fact  // of a comparison with a closed set of words
	is    string // of `fact == "word"`: the word
}

// Text is the term as written.
func (t *Term) Text() string { return strings.TrimPrefix(t.why, "not ") }

// Excludes tells whether the two can never hold together: one fact of a closed
// set cannot be two words.
func (t *Term) Excludes(o *Term) bool {
	return t.word != nil && t.word == o.word && t.is != "" && o.is != "" && t.is != o.is
}

// Terms compiles a condition into its terms, in order; nil where it is wrong.
func (s *Scope) Terms(x hclsyntax.Expression) []Term {
	if p, ok := x.(*hclsyntax.ParenthesesExpr); ok {
		return s.Terms(p.Expression)
	}
	if b, ok := x.(*hclsyntax.BinaryOpExpr); ok && b.Op == hclsyntax.OpLogicalAnd {
		l, r := s.Terms(b.LHS), s.Terms(b.RHS)
		if l == nil || r == nil {
			return nil
		}
		return append(l, r...)
	}
	v := s.Cond(x)
	if v == nil {
		return nil
	}
	t := Term{Value: v, why: "not " + s.Source(x)}
	if f := s.comparedWord(x); f != nil {
		t.word = f
		if b := x.(*hclsyntax.BinaryOpExpr); b.Op == hclsyntax.OpEqual {
			t.is = literalOf(b.RHS)
		}
	}
	return []Term{t}
}

// comparedWord is the fact of `fact == "word"` where the words are a closed set.
func (s *Scope) comparedWord(x hclsyntax.Expression) *Fact {
	b, ok := x.(*hclsyntax.BinaryOpExpr)
	if !ok || b.Op != hclsyntax.OpEqual && b.Op != hclsyntax.OpNotEqual {
		return nil
	}
	t, ok := b.LHS.(*hclsyntax.ScopeTraversalExpr)
	if !ok {
		return nil
	}
	path, _ := names(t.Traversal)
	f := s.Facts.byPath[join(path)]
	if f == nil || f.Words == nil || f.Type != String {
		return nil
	}
	return f
}

// literalOf is a text that is written as such, "" for any other expression.
func literalOf(x hclsyntax.Expression) string {
	t, ok := x.(*hclsyntax.TemplateExpr)
	if !ok || !t.IsStringLiteral() {
		return ""
	}
	v, _ := t.Value(nil)
	return v.AsString()
}

// Whys are all that can be so where the term does not hold: that it does not, or
// for a fact of a closed set which word it is.
func (t *Term) Whys() []string {
	whys := []string{t.why}
	if t.word != nil {
		for _, w := range t.word.Words {
			whys = append(whys, t.word.Path+" = \""+w+"\"")
		}
	}
	return whys
}

// Which tells which of Whys is so where the term did not hold.
func (t *Term) Which(r *Run) int {
	if t.word != nil {
		word, _ := t.word.peek(r)
		for i, w := range t.word.Words {
			if w == word {
				return i + 1
			}
		}
	}
	return 0
}

// Eval evaluates terms as their conjunction; at is the first that is No, or
// else the first that is Unknown, -1 where all hold.
func Eval(r *Run, terms []Term) (t Tri, at int) {
	t, at = Yes, -1
	for i := range terms {
		switch terms[i].Value.Bool(r) {
		case No:
			return No, i
		case Unknown:
			if t == Yes {
				t, at = Unknown, i
			}
		}
	}
	return t, at
}

func join(path []string) string {
	out := ""
	for i, p := range path {
		if i > 0 {
			out += "."
		}
		out += p
	}
	return out
}

func literalText(s string, at hcl.Range) *hclsyntax.LiteralValueExpr {
	return &hclsyntax.LiteralValueExpr{Val: cty.StringVal(s), SrcRange: at}
}
