package expr

import (
	"fmt"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
)

func numberFunctions() []Function {
	return []Function{
		{Name: "length", Result: Number, Args: "(x)", Doc: "characters of a text, or entries of a list", args: []types{of(String, Strings, ListRef)}, make: makeLength},
		{Name: "min", Result: Number, Args: "(a, b, ...)", Doc: "the least", args: []types{isNumber}, more: true, make: least(func(a, b float64) bool { return a < b })},
		{Name: "max", Result: Number, Args: "(a, b, ...)", Doc: "the greatest", args: []types{isNumber}, more: true, make: least(func(a, b float64) bool { return a > b })},
		{Name: "points", Result: Number, Args: "(n, condition)", Doc: "a line of a score: n points where the condition holds", args: []types{isNumber, isBool}, make: makePoints},
		{Name: "size", Result: Number, Args: "(text)", Doc: "octets: \"512KB\", \"20MB\", in powers of 1024", args: []types{isText}, make: makeSize},
	}
}

func makeLength(_ *Scope, _ *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	x := a[0]
	v := &Value{Type: Number}
	switch x.Type {
	case ListRef:
		return ConstNumber(float64(x.List.Len()))
	case Strings:
		v.Num = func(r *Run) (float64, bool) {
			ss, known := x.Strs(r)
			return float64(len(ss)), known
		}
	default:
		v.Num = func(r *Run) (float64, bool) {
			t, known := x.Str(r)
			return float64(len([]rune(t))), known
		}
	}
	return v.fold(x)
}

func least(better func(a, b float64) bool) func(*Scope, *hclsyntax.FunctionCallExpr, []*Value) *Value {
	return func(_ *Scope, _ *hclsyntax.FunctionCallExpr, a []*Value) *Value {
		v := &Value{Type: Number, Num: func(r *Run) (float64, bool) {
			best, known := a[0].Num(r)
			for _, p := range a[1:] {
				n, ok := p.Num(r)
				known = known && ok
				if better(n, best) {
					best = n
				}
			}
			return best, known
		}}
		return v.fold(a...)
	}
}

func makeSize(s *Scope, c *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	t, ok := s.constant(a[0], c.Args[0], "A size")
	if !ok {
		return invalid
	}
	n, err := ParseSize(t)
	if err != nil {
		s.Bag.Error(diag.BadValue, c.Args[0].Range(), fmt.Sprintf("%q is no size.", t), "Write \"512KB\", \"20MB\" or \"1GB\".")
		return invalid
	}
	return ConstNumber(float64(n))
}

// makePoints says where points() stands: the lines of a score are read by the
// verb.
func makePoints(s *Scope, c *hclsyntax.FunctionCallExpr, _ []*Value) *Value {
	s.Bag.Error(diag.UnknownFunction, c.NameRange, "points is no function of conditions.", "points(n, condition) stands in a score rule: name = points(2.5, spf.result == \"fail\").")
	return invalid
}
