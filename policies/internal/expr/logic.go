package expr

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
)

// binary is an operator between two expressions.
func (s *Scope) binary(x *hclsyntax.BinaryOpExpr) *Value {
	switch x.Op {
	case hclsyntax.OpLogicalAnd:
		return s.junction(x, and)
	case hclsyntax.OpLogicalOr:
		return s.junction(x, or)
	case hclsyntax.OpEqual:
		return s.equal(x, false)
	case hclsyntax.OpNotEqual:
		return s.equal(x, true)
	case hclsyntax.OpLessThan, hclsyntax.OpLessThanOrEqual, hclsyntax.OpGreaterThan, hclsyntax.OpGreaterThanOrEqual:
		return s.order(x)
	}
	return s.arithmetic(x)
}

func (s *Scope) junction(x *hclsyntax.BinaryOpExpr, join func(a, b *Value) *Value) *Value {
	a, b := s.Cond(x.LHS), s.Cond(x.RHS) // both, so that both are checked
	if a == nil || b == nil {
		return invalid
	}
	return join(a, b)
}

// and is No as soon as one side is, whatever the other could not tell.
func and(a, b *Value) *Value {
	if a.Const {
		return pick(a, b, Yes)
	}
	fa, fb := a.Bool, b.Bool
	return &Value{Type: Bool, Bool: func(r *Run) Tri {
		switch fa(r) {
		case No:
			return No
		case Yes:
			return fb(r)
		}
		if fb(r) == No {
			return No
		}
		return Unknown
	}}
}

// or is Yes as soon as one side is.
func or(a, b *Value) *Value {
	if a.Const {
		return pick(a, b, No)
	}
	fa, fb := a.Bool, b.Bool
	return &Value{Type: Bool, keys: a.keys.either(b.keys), Bool: func(r *Run) Tri {
		switch fa(r) {
		case Yes:
			return Yes
		case No:
			return fb(r)
		}
		if fb(r) == Yes {
			return Yes
		}
		return Unknown
	}}
}

// pick folds a junction whose left side is a constant: neutral leaves the right
// side, anything else decides.
func pick(a, b *Value, neutral Tri) *Value {
	if a.Bool(nil) == neutral {
		return b
	}
	return a
}

func not(v *Value) *Value {
	f := v.Bool
	n := &Value{Type: Bool, Bool: func(r *Run) Tri {
		switch f(r) {
		case Yes:
			return No
		case No:
			return Yes
		}
		return Unknown
	}}
	return n.fold(v)
}

func (s *Scope) unary(x *hclsyntax.UnaryOpExpr) *Value {
	if x.Op == hclsyntax.OpLogicalNot {
		v := s.Cond(x.Val)
		if v == nil {
			return invalid
		}
		return not(v)
	}
	v := s.Number(x.Val)
	if v == nil {
		return invalid
	}
	f := v.Num
	n := &Value{Type: Number, Num: func(r *Run) (float64, bool) {
		a, known := f(r)
		return -a, known
	}}
	return n.fold(v)
}

// conditional is c ? a : b, of which one side is evaluated.
func (s *Scope) conditional(x *hclsyntax.ConditionalExpr) *Value {
	c, a, b := s.Cond(x.Condition), s.Compile(x.TrueResult), s.Compile(x.FalseResult)
	if c == nil || a.Type == Invalid || b.Type == Invalid {
		return invalid
	}
	if a.Type != b.Type {
		return s.sidesDiffer(x.Range(), a, b)
	}
	return choose(c, a, b)
}

func (s *Scope) sidesDiffer(at hcl.Range, a, b *Value) *Value {
	s.Bag.Error(diag.CannotCompare, at, "One side is a "+a.Type.String()+", the other a "+b.Type.String()+".", "Make both of one type.")
	return invalid
}

func choose(c, a, b *Value) *Value {
	v := &Value{Type: a.Type}
	switch a.Type {
	case Bool:
		v.Bool = func(r *Run) Tri {
			if t := c.Bool(r); t != Yes {
				if t == Unknown {
					return Unknown
				}
				return b.Bool(r)
			}
			return a.Bool(r)
		}
	case String:
		v.Str = func(r *Run) (string, bool) { return branch(r, c, a.Str, b.Str) }
	case Number:
		v.Num = func(r *Run) (float64, bool) { return branch(r, c, a.Num, b.Num) }
	case Strings:
		v.Strs = func(r *Run) ([]string, bool) { return branch(r, c, a.Strs, b.Strs) }
	case Duration:
		v.Dur = branchOf(c, a.Dur, b.Dur)
	case IP:
		v.IP = branchOf(c, a.IP, b.IP)
	case Time:
		v.Time = branchOf(c, a.Time, b.Time)
	default:
		return invalid
	}
	return v.fold(c, a, b)
}

func branchOf[T any](c *Value, a, b func(*Run) (T, bool)) func(*Run) (T, bool) {
	return func(r *Run) (T, bool) { return branch(r, c, a, b) }
}

func branch[T any](r *Run, c *Value, a, b func(*Run) (T, bool)) (v T, known bool) {
	switch c.Bool(r) {
	case Yes:
		return a(r)
	case No:
		return b(r)
	}
	return v, false
}
