// Package expr compiles the expressions of the policy language: HCL syntax trees
// become typed closures, checked when the configuration is loaded, with real
// short-circuit and a third truth value for what could not be found out.
package expr

import (
	"net/netip"
	"time"

	"github.com/forepost/forepost/policies/internal/lists"
	"github.com/forepost/forepost/relay/pipeline"
)

// Type is the type of an expression.
type Type uint8

// The types: those of facts, a reference to a list block, and none for an
// expression that is wrong (which was said already).
const (
	Bool     = Type(pipeline.Bool)
	String   = Type(pipeline.String)
	Number   = Type(pipeline.Number)
	Strings  = Type(pipeline.Strings)
	IP       = Type(pipeline.IP)
	Duration = Type(pipeline.Duration)
	Time     = Type(pipeline.Time)
	ListRef  = Type(pipeline.Time) + 1
	Invalid  = Type(pipeline.Time) + 2
)

func (t Type) String() string {
	switch t {
	case ListRef:
		return "list block"
	case Invalid:
		return "mistake"
	}
	return pipeline.Type(t).String()
}

// Tri is a truth value: a rule matches on Yes alone.
type Tri uint8

// The truth values.
const (
	No Tri = iota
	Yes
	Unknown // a filter that was asked could not tell
)

func (t Tri) String() string { return [...]string{"no", "yes", "unknown"}[t] }

func truth(b bool) Tri {
	if b {
		return Yes
	}
	return No
}

// Value is a compiled expression. Of its closures the one of its Type is set.
// They return false for known where a filter could not tell; a text is given
// even then if the filter had a word for it ("temperror").
type Value struct {
	Type   Type
	Const  bool // the same for every message: closures may be called with nil
	Secret bool // not to be printed

	Bool func(*Run) Tri
	Str  func(*Run) (v string, known bool)
	Num  func(*Run) (v float64, known bool)
	Strs func(*Run) (v []string, known bool)
	IP   func(*Run) (v netip.Addr, known bool)
	Dur  func(*Run) (v time.Duration, known bool)
	Time func(*Run) (v time.Time, known bool)
	List *lists.List

	fact *Fact // where the expression is a fact and nothing else
	keys *Keys // of a condition: without one of them it does not hold
}

var invalid = &Value{Type: Invalid}

func constBool(t Tri) *Value {
	return &Value{Type: Bool, Const: true, Bool: func(*Run) Tri { return t }}
}

// ConstString is the value of a text that is known at start.
func ConstString(s string) *Value {
	return &Value{Type: String, Const: true, Str: func(*Run) (string, bool) { return s, true }}
}

// ConstNumber is the value of a number that is known at start.
func ConstNumber(n float64) *Value {
	return &Value{Type: Number, Const: true, Num: func(*Run) (float64, bool) { return n, true }}
}

// ConstBool is the value of a bool that is known at start.
func ConstBool(b bool) *Value { return constBool(truth(b)) }

// ConstStrings is the value of a list of strings that is known at start.
func ConstStrings(ss []string) *Value {
	return &Value{Type: Strings, Const: true, Strs: func(*Run) ([]string, bool) { return ss, true }}
}

func constDuration(d time.Duration) *Value {
	return &Value{Type: Duration, Const: true, Dur: func(*Run) (time.Duration, bool) { return d, true }}
}

func constIP(ip netip.Addr) *Value {
	return &Value{Type: IP, Const: true, IP: func(*Run) (netip.Addr, bool) { return ip, true }}
}

// fold makes a constant of a pure value whose parts are constants.
func (v *Value) fold(parts ...*Value) *Value {
	for _, p := range parts {
		v.Secret = v.Secret || p.Secret
	}
	for _, p := range parts {
		if !p.Const {
			return v
		}
	}
	f := foldTyped(v)
	f.Secret = v.Secret
	return f
}

func foldTyped(v *Value) *Value {
	switch v.Type {
	case Bool:
		return constBool(v.Bool(nil))
	case String:
		s, _ := v.Str(nil)
		return ConstString(s)
	case Number:
		n, _ := v.Num(nil)
		return ConstNumber(n)
	case Strings:
		ss, _ := v.Strs(nil)
		return ConstStrings(ss)
	case Duration:
		d, _ := v.Dur(nil)
		return constDuration(d)
	}
	return v
}
