package expr

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/forepost/forepost/policies/internal/diag"
)

// Compile makes a Value of an expression. What is wrong is reported, and the
// Value's type is Invalid then: whoever meets it says nothing more.
func (s *Scope) Compile(x hclsyntax.Expression) *Value {
	switch x := x.(type) {
	case *hclsyntax.ParenthesesExpr:
		return s.Compile(x.Expression)
	case *hclsyntax.LiteralValueExpr:
		return s.literal(x)
	case *hclsyntax.TemplateExpr:
		return s.template(x)
	case *hclsyntax.TemplateWrapExpr:
		return s.wrapped(x)
	case *hclsyntax.ScopeTraversalExpr:
		return s.reference(x)
	case *hclsyntax.BinaryOpExpr:
		return s.binary(x)
	case *hclsyntax.UnaryOpExpr:
		return s.unary(x)
	case *hclsyntax.ConditionalExpr:
		return s.conditional(x)
	case *hclsyntax.FunctionCallExpr:
		return s.call(x)
	case *hclsyntax.TupleConsExpr:
		return s.tuple(x)
	}
	s.Bag.Error(diag.NotTheLanguage, x.Range(), "This form of expression ("+formName(x)+") is not part of the policy language.",
		"Write it with facts, functions, comparisons and && || !.")
	return invalid
}

func formName(x hclsyntax.Expression) string {
	switch x.(type) {
	case *hclsyntax.ForExpr:
		return "for"
	case *hclsyntax.SplatExpr:
		return "splat"
	case *hclsyntax.IndexExpr, *hclsyntax.RelativeTraversalExpr:
		return "index"
	case *hclsyntax.ObjectConsExpr:
		return "object"
	}
	return "other"
}

func (s *Scope) literal(x *hclsyntax.LiteralValueExpr) *Value {
	v := x.Val
	switch {
	case v.IsNull():
		s.Bag.Error(diag.NotTheLanguage, x.Range(), "There is no null: a fact that was not found has the zero value of its type, \"\" or 0 or false.", "")
		return invalid
	case v.Type() == cty.Bool:
		return ConstBool(v.True())
	case v.Type() == cty.Number:
		n, _ := v.AsBigFloat().Float64()
		return ConstNumber(n)
	case v.Type() == cty.String:
		return ConstString(v.AsString())
	}
	return invalid
}

// indexFix is what to write for header["X"] and for msg.to[0].
func indexFix(t hcl.Traversal) string {
	if t.RootName() == "header" {
		return "Write header(\"Subject\")."
	}
	return "Ask a list with listed(\"x\", list), overlaps(list, [\"x\"]) or length(list)."
}

// reference is a name: a fact, or a variable, a local or a list.
func (s *Scope) reference(x *hclsyntax.ScopeTraversalExpr) *Value {
	path, ok := names(x.Traversal)
	if !ok {
		s.Bag.Error(diag.NotTheLanguage, x.Range(), "Facts have no index.", indexFix(x.Traversal))
		return invalid
	}
	if len(path) == 2 {
		switch path[0] {
		case "var":
			return s.variable(path[1], x.Range())
		case "local":
			return s.local(path[1], x.Range())
		case "list":
			return s.list(path[1], x.Range())
		}
	}
	return s.factAt(strings.Join(path, "."), path, x.Range())
}

// names are the parts of a.b.c; false for anything with an index.
func names(t hcl.Traversal) ([]string, bool) {
	var path []string
	for _, step := range t {
		switch step := step.(type) {
		case hcl.TraverseRoot:
			path = append(path, step.Name)
		case hcl.TraverseAttr:
			path = append(path, step.Name)
		default:
			return nil, false
		}
	}
	return path, true
}

func (s *Scope) variable(name string, at hcl.Range) *Value {
	if v, ok := s.Vars[name]; ok {
		return v
	}
	s.Bag.Error(diag.UnknownReference, at, "There is no variable \""+name+"\".", diag.DidYouMean(name, keys(s.Vars)))
	return invalid
}

// local compiles a local where it is used, so that it can hold conditions.
func (s *Scope) local(name string, at hcl.Range) *Value {
	x, ok := s.Locals[name]
	if !ok {
		s.Bag.Error(diag.UnknownReference, at, "There is no local \""+name+"\".", diag.DidYouMean(name, keys(s.Locals)))
		return invalid
	}
	if s.resolving[name] {
		s.Bag.Error(diag.Circle, at, "local."+name+" is defined by itself.", "Take one of its uses out of the circle.")
		return invalid
	}
	if s.resolving == nil {
		s.resolving = map[string]bool{}
	}
	s.resolving[name] = true
	defer delete(s.resolving, name)
	return s.Compile(x)
}

func (s *Scope) list(name string, at hcl.Range) *Value {
	l, ok := s.Lists[name]
	if !ok {
		s.Bag.Error(diag.UnknownReference, at, "There is no list \""+name+"\".", diag.DidYouMean(name, keys(s.Lists)))
		return invalid
	}
	s.ListsUsed[name] = true
	return &Value{Type: ListRef, Const: true, List: l}
}

// tuple is a list of texts.
func (s *Scope) tuple(x *hclsyntax.TupleConsExpr) *Value {
	parts := make([]*Value, len(x.Exprs))
	for i, e := range x.Exprs {
		v := s.Compile(e)
		if v.Type == Invalid {
			return invalid
		}
		if v.Type == ListRef || v.Type == Strings || v.Type == Bool {
			return s.wrongType(e.Range(), "A list here is a list of texts", v.Type, "")
		}
		parts[i] = toText(v)
	}
	v := &Value{Type: Strings, Strs: func(r *Run) ([]string, bool) {
		out := make([]string, len(parts))
		for i, p := range parts {
			t, known := p.Str(r)
			if !known {
				return nil, false
			}
			out[i] = t
		}
		return out, true
	}}
	return v.fold(parts...)
}

func keys[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
