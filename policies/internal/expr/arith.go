package expr

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
)

// arithmetic is + - * / % on numbers.
func (s *Scope) arithmetic(x *hclsyntax.BinaryOpExpr) *Value {
	a, b := s.Number(x.LHS), s.Number(x.RHS)
	if a == nil || b == nil {
		return invalid
	}
	op := operations[x.Op]
	if op == nil {
		s.Bag.Error(diag.NotTheLanguage, x.Range(), "This operator is not part of the policy language.", "")
		return invalid
	}
	v := &Value{Type: Number, Num: func(r *Run) (float64, bool) {
		p, ok := a.Num(r)
		if !ok {
			return 0, false
		}
		q, ok := b.Num(r)
		return op(p, q), ok
	}}
	return v.fold(a, b)
}

// operations give 0 for a division by 0: a rule must not fail on odd mail.
var operations = map[*hclsyntax.Operation]func(a, b float64) float64{
	hclsyntax.OpAdd:      func(a, b float64) float64 { return a + b },
	hclsyntax.OpSubtract: func(a, b float64) float64 { return a - b },
	hclsyntax.OpMultiply: func(a, b float64) float64 { return a * b },
	hclsyntax.OpDivide:   func(a, b float64) float64 { return unlessZero(b, a/b) },
	hclsyntax.OpModulo:   func(a, b float64) float64 { return unlessZero(b, math.Mod(a, b)) },
}

func unlessZero(b, q float64) float64 {
	if b == 0 {
		return 0
	}
	return q
}

// ParseDuration reads "90s", "5m", "1h30m" as Go does, and "30d" and "2w".
func ParseDuration(s string) (time.Duration, error) {
	for unit, hours := range map[string]int{"d": 24, "w": 7 * 24} {
		if n, ok := strings.CutSuffix(s, unit); ok {
			days, err := strconv.ParseFloat(n, 64)
			if err != nil || !(days >= 0 && days <= 36500) { // NaN, too
				return 0, fmt.Errorf("%q is no duration", s)
			}
			return time.Duration(days * float64(hours) * float64(time.Hour)), nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%q is no duration", s)
	}
	return d, nil
}

// ParseSize reads a number of octets: "100", "512KB", "20MB", "1GB", in powers
// of 1024 as mail servers count.
func ParseSize(s string) (int64, error) {
	t := strings.ToUpper(strings.TrimSpace(s))
	mult := int64(1)
	for _, u := range []struct {
		unit string
		mult int64
	}{{"KIB", 1 << 10}, {"MIB", 1 << 20}, {"GIB", 1 << 30}, {"TIB", 1 << 40}, {"KB", 1 << 10}, {"MB", 1 << 20}, {"GB", 1 << 30}, {"TB", 1 << 40}, {"B", 1}} {
		if n, ok := strings.CutSuffix(t, u.unit); ok {
			t, mult = strings.TrimSpace(n), u.mult
			break
		}
	}
	n, err := strconv.ParseFloat(t, 64)
	if err != nil || !(n >= 0 && n*float64(mult) < 1<<62) { // NaN, too
		return 0, fmt.Errorf("%q is no size", s)
	}
	return int64(n * float64(mult)), nil
}
