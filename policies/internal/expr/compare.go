package expr

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
)

// equal is == and !=.
func (s *Scope) equal(x *hclsyntax.BinaryOpExpr, negate bool) *Value {
	a, b := s.sides(x)
	if a == nil {
		return invalid
	}
	if a.Type != b.Type {
		return s.cannotCompare(x, a, b)
	}
	if a.Const && !b.Const {
		a, b = b, a
	}
	if a.Type == String && a.fact != nil && a.fact.Type == String && b.Const { // not a number as text, "${mail.size}"
		word, _ := b.Str(nil)
		if !s.canBe(a.fact, word, x) {
			return invalid
		}
		v := byName(a.fact, word, negate)
		if !negate {
			v.keys = keysOf(a.fact, b)
		}
		return v
	}
	v := equality(a, b)
	if v == nil {
		return s.cannotCompare(x, a, b)
	}
	if v = v.fold(a, b); negate {
		return not(v)
	}
	if a.Type == IP && a.fact != nil && b.Const {
		v.keys = keysOf(a.fact, b)
	}
	return v
}

// canBe reports a word that is not in the closed set of a fact.
func (s *Scope) canBe(f *Fact, word string, x *hclsyntax.BinaryOpExpr) bool {
	if f.Words == nil || contains(f.Words, word) {
		return true
	}
	s.Bag.Error(diag.NeverEqual, x.Range(), fmt.Sprintf("%s is never %q.", f.Path, word),
		either(diag.DidYouMean(word, f.Words), "It is one of "+strings.Join(f.Words, ", ")+"."))
	return false
}

// byName compares a fact with a word that is known at start. A filter that could
// not tell and has a word for that ("temperror") answers a rule that asks for
// exactly this word; for any other, it could not tell.
func byName(f *Fact, word string, negate bool) *Value {
	yes, no := Yes, No
	if negate {
		yes, no = No, Yes
	}
	if f.Slot < 0 {
		get := f.value.Str
		return &Value{Type: Bool, Bool: func(r *Run) Tri {
			if got, _ := get(r); got == word {
				return yes
			}
			return no
		}}
	}
	return &Value{Type: Bool, Bool: func(r *Run) Tri {
		got, known := f.peek(r)
		switch {
		case got == word && (known || word != ""):
			return yes
		case known:
			return no
		}
		r.mark(f.Slot)
		return Unknown
	}}
}

func equality(a, b *Value) *Value {
	v := &Value{Type: Bool}
	switch a.Type {
	case Bool:
		v.Bool = func(r *Run) Tri {
			p, q := a.Bool(r), b.Bool(r)
			if p == Unknown || q == Unknown {
				return Unknown
			}
			return truth(p == q)
		}
	case String:
		v.Bool = pair(a.Str, b.Str, func(p, q string) bool { return p == q })
	case Number:
		v.Bool = pair(a.Num, b.Num, func(p, q float64) bool { return p == q })
	case IP:
		v.Bool = pair(a.IP, b.IP, func(p, q netip.Addr) bool { return p.Unmap() == q.Unmap() })
	case Duration:
		v.Bool = pair(a.Dur, b.Dur, func(p, q time.Duration) bool { return p == q })
	case Time:
		v.Bool = pair(a.Time, b.Time, time.Time.Equal)
	default:
		return nil
	}
	return v
}

// order is < <= > >=.
func (s *Scope) order(x *hclsyntax.BinaryOpExpr) *Value {
	a, b := s.sides(x)
	if a == nil {
		return invalid
	}
	if a.Type != b.Type {
		return s.cannotCompare(x, a, b)
	}
	holds := orderings[x.Op]
	v := &Value{Type: Bool}
	switch a.Type {
	case Number:
		v.Bool = pair(a.Num, b.Num, func(p, q float64) bool { return holds(cmp.Compare(p, q)) })
	case Duration:
		v.Bool = pair(a.Dur, b.Dur, func(p, q time.Duration) bool { return holds(cmp.Compare(p, q)) })
	case Time:
		v.Bool = pair(a.Time, b.Time, func(p, q time.Time) bool { return holds(p.Compare(q)) })
	default:
		s.Bag.Error(diag.CannotCompare, x.Range(), "A "+a.Type.String()+" has no order.", "Only numbers, durations and times can be less or more.")
		return invalid
	}
	return v.fold(a, b)
}

var orderings = map[*hclsyntax.Operation]func(int) bool{
	hclsyntax.OpLessThan:           func(c int) bool { return c < 0 },
	hclsyntax.OpLessThanOrEqual:    func(c int) bool { return c <= 0 },
	hclsyntax.OpGreaterThan:        func(c int) bool { return c > 0 },
	hclsyntax.OpGreaterThanOrEqual: func(c int) bool { return c >= 0 },
}

// sides compiles both sides; a text that is written beside a duration or an
// address is read as one. nil where one is wrong.
func (s *Scope) sides(x *hclsyntax.BinaryOpExpr) (a, b *Value) {
	a, b = s.Compile(x.LHS), s.Compile(x.RHS)
	if a.Type == Invalid || b.Type == Invalid {
		return nil, nil
	}
	if a = s.readAs(a, b.Type, x.LHS); a.Type == Invalid {
		return nil, nil
	}
	if b = s.readAs(b, a.Type, x.RHS); b.Type == Invalid {
		return nil, nil
	}
	return a, b
}

func (s *Scope) readAs(v *Value, as Type, x hclsyntax.Expression) *Value {
	if v.Type != String || !v.Const || as != Duration && as != IP {
		return v
	}
	t, _ := v.Str(nil)
	if as == Duration {
		d, err := ParseDuration(t)
		if err != nil {
			s.Bag.Error(diag.BadValue, x.Range(), fmt.Sprintf("%q is no duration.", t), "Write \"90s\", \"5m\", \"4h\" or \"30d\".")
			return invalid
		}
		return constDuration(d)
	}
	ip, err := netip.ParseAddr(t)
	if err != nil {
		s.Bag.Error(diag.BadValue, x.Range(), fmt.Sprintf("%q is no IP address.", t), "For a network, write within(client.ip, \"192.0.2.0/24\").")
		return invalid
	}
	return constIP(ip)
}

func (s *Scope) cannotCompare(x *hclsyntax.BinaryOpExpr, a, b *Value) *Value {
	fix := "Compare things of one type."
	if a.Type == Number && b.Type == String || a.Type == String && b.Type == Number {
		fix = "A number has no quotes; for octets write size(\"20MB\")."
	}
	if a.Type == Strings || b.Type == Strings || a.Type == ListRef || b.Type == ListRef {
		fix = "To ask whether something is in a list, write listed(x, list.y) or overlaps(x, list.y)."
	}
	s.Bag.Error(diag.CannotCompare, x.Range(), fmt.Sprintf("The left side is a %s, the right side a %s.", a.Type, b.Type), fix)
	return invalid
}

// pair compares two values where both are known.
func pair[P, Q any](a func(*Run) (P, bool), b func(*Run) (Q, bool), holds func(p P, q Q) bool) func(*Run) Tri {
	return func(r *Run) Tri {
		p, ok := a(r)
		if !ok {
			return Unknown
		}
		q, ok := b(r)
		if !ok {
			return Unknown
		}
		return truth(holds(p, q))
	}
}
