package expr

import (
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/lists"
	"github.com/forepost/forepost/relay/pipeline"
)

// Env is what the expressions of a configuration can name.
type Env struct {
	Bag     *diag.Bag
	Facts   *Facts
	Lists   map[string]*lists.List
	Vars    map[string]*Value
	Locals  map[string]hclsyntax.Expression
	Domains map[string]bool // ours
	Sources map[string][]byte
	Now     func() time.Time
	// File and Secret read what file() and secret() name.
	File   func(name string, at hcl.Range) string
	Secret func(name string, at hcl.Range) string

	ListsUsed   map[string]bool
	HeadersUsed map[string]bool // names of header fields that expressions ask for
}

// Refs is what an expression turned out to ask for.
type Refs struct {
	Facts     []*Fact      // in order, each once
	Slots     map[int]bool // of filters
	From      pipeline.Stage
	PerRcpt   bool
	Forgeable bool // a claim of the client
	Proven    bool // something that cannot be claimed
}

func (r *Refs) note(f *Fact) {
	r.mention(f)
	if f.Slot >= 0 {
		if r.Slots == nil {
			r.Slots = map[int]bool{}
		}
		r.Slots[f.Slot] = true
	}
	r.From = max(r.From, f.From)
	r.PerRcpt = r.PerRcpt || f.PerRcpt
	r.Forgeable = r.Forgeable || f.Forgeable
	r.Proven = r.Proven || !f.Forgeable
}

func (r *Refs) mention(fs ...*Fact) {
	for _, f := range fs {
		if !slices.Contains(r.Facts, f) {
			r.Facts = append(r.Facts, f)
		}
	}
}

// Scope is where an expression stands.
type Scope struct {
	*Env
	Stage  pipeline.Stage
	Static bool // a setting: no message in sight
	Any    bool // facts of every stage, deliver's too (for checking locals, and the keys of filters)
	Refs   Refs

	resolving map[string]bool // locals
}

// In is a scope for the rules of a stage.
func (e *Env) In(at pipeline.Stage) *Scope { return &Scope{Env: e, Stage: at} }

// Settings is a scope for values that must be known at start.
func (e *Env) Settings() *Scope { return &Scope{Env: e, Static: true} }

// Anywhere is a scope that takes facts of every stage; Refs.From tells which.
func (e *Env) Anywhere() *Scope { return &Scope{Env: e, Stage: pipeline.Data, Any: true} }

// Source is an expression as written, on one line.
func (e *Env) Source(x hclsyntax.Expression) string {
	rng := x.Range()
	src := e.Sources[rng.Filename]
	if rng.End.Byte > len(src) || rng.Start.Byte > rng.End.Byte {
		return ""
	}
	return oneLine(string(src[rng.Start.Byte:rng.End.Byte]))
}

func (s *Scope) wrongType(at hcl.Range, what string, got Type, fix string) *Value {
	s.Bag.Error(diag.WrongType, at, fmt.Sprintf("%s, and this is a %s.", what, got), fix)
	return invalid
}

// Cond compiles an expression that must be a bool; nil where it is wrong.
func (s *Scope) Cond(x hclsyntax.Expression) *Value {
	v := s.Compile(x)
	if v.Type == Invalid {
		return nil
	}
	if v.Type != Bool {
		s.wrongType(x.Range(), "A condition is true or false", v.Type, conditionFix(v.Type))
		return nil
	}
	return v
}

func conditionFix(t Type) string {
	switch t {
	case String:
		return "Compare it: x == \"word\", or x != \"\"."
	case Number:
		return "Compare it: x > 0."
	case Strings:
		return "Ask for something in it: length(x) > 0, overlaps(x, list.y)."
	}
	return ""
}

// Text compiles an expression that can be written as text; nil where it is wrong.
func (s *Scope) Text(x hclsyntax.Expression) *Value {
	v := s.Compile(x)
	if v.Type == Invalid {
		return nil
	}
	if v.Type == ListRef {
		s.wrongType(x.Range(), "This must be a text", v.Type, "")
		return nil
	}
	return toText(v)
}

// Number compiles an expression that must be a number; nil where it is wrong.
func (s *Scope) Number(x hclsyntax.Expression) *Value {
	v := s.Compile(x)
	if v.Type == Invalid {
		return nil
	}
	if v.Type != Number {
		s.wrongType(x.Range(), "This must be a number", v.Type, "")
		return nil
	}
	return v
}

// Merge adds what another expression asks for.
func (r *Refs) Merge(o *Refs) {
	r.mention(o.Facts...)
	for s := range o.Slots {
		if r.Slots == nil {
			r.Slots = map[int]bool{}
		}
		r.Slots[s] = true
	}
	r.From = max(r.From, o.From)
	r.PerRcpt = r.PerRcpt || o.PerRcpt
	r.Forgeable = r.Forgeable || o.Forgeable
	r.Proven = r.Proven || o.Proven
}
