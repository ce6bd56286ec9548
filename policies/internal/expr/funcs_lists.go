package expr

import (
	"net/netip"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/lists"
)

func listFunctions() []Function {
	return []Function{
		{Name: "listed", Result: Bool, Args: "(x, list)", Doc: "x, or one of them where x is a list, is in the list", args: []types{isThing, isList}, make: makeListed},
		{Name: "overlaps", Result: Bool, Args: "(a, list)", Doc: "one of a is in the list", args: []types{isTexts, isList}, make: makeListed},
		{Name: "within", Result: Bool, Args: "(ip, networks...)", Doc: "the address is in one of the networks, or in a list of them", args: []types{isIP, of(String, Strings, ListRef)}, more: true, make: makeWithin},
		{Name: "any", Result: Bool, Args: "(a, b, ...)", Doc: "one of the conditions holds", args: []types{isBool}, more: true, make: func(_ *Scope, _ *hclsyntax.FunctionCallExpr, a []*Value) *Value { return chain(a, or) }},
		{Name: "all", Result: Bool, Args: "(a, b, ...)", Doc: "all of the conditions hold", args: []types{isBool}, more: true, make: func(_ *Scope, _ *hclsyntax.FunctionCallExpr, a []*Value) *Value { return chain(a, and) }},
	}
}

func chain(vs []*Value, join func(a, b *Value) *Value) *Value {
	v := vs[0]
	for _, w := range vs[1:] {
		v = join(v, w)
	}
	return v
}

func makeListed(s *Scope, c *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	x, l := a[0], a[1]
	if l.Type == Strings && !l.Const {
		return listedIn(x, l)
	}
	set := l.List
	if l.Type == Strings {
		items, _ := l.Strs(nil)
		if set = s.literalList(items, x.Type, c.Args[1].Range()); set == nil {
			return invalid
		}
	}
	v := &Value{Type: Bool, Bool: lookIn(x, set), keys: keysIn(x, set)}
	if set.Changes { // what is so now need not be so later
		v.Secret = x.Secret
		return v
	}
	return v.fold(x)
}

// literalList is a list that is written in place: of networks beside an address,
// of addresses where one has an @, else of words.
func (s *Scope) literalList(items []string, beside Type, at hcl.Range) *lists.List {
	t := lists.Word
	if beside == IP {
		t = lists.IP
	} else if strings.Contains(strings.Join(items, ""), "@") {
		t = lists.Address
	}
	l, errs := lists.New(t, items)
	for _, err := range errs {
		s.Bag.Error(diag.BadValue, at, err.Error()+".", "")
	}
	if errs != nil {
		return nil
	}
	return l
}

// lookIn asks a list that is known at start.
func lookIn(x *Value, l *lists.List) func(*Run) Tri {
	switch x.Type {
	case IP:
		return func(r *Run) Tri {
			ip, known := x.IP(r)
			return when(known && l.Known(), func() bool { return l.HasIP(ip) })
		}
	case Strings:
		return func(r *Run) Tri {
			ss, known := x.Strs(r)
			return when(known && l.Known(), func() bool { return l.HasAny(ss) })
		}
	}
	return func(r *Run) Tri {
		t, known := x.Str(r)
		if !known || !l.Known() {
			return Unknown
		}
		return truth(l.Has(t))
	}
}

func when(known bool, f func() bool) Tri {
	if !known {
		return Unknown
	}
	return truth(f())
}

// listedIn asks a list that is a fact, like auth.addresses. Such lists are short.
func listedIn(x, l *Value) *Value {
	if x.Type != Strings {
		one := toText(x)
		return &Value{Type: Bool, Bool: pair(one.Str, l.Strs, inEntries)}
	}
	return &Value{Type: Bool, Bool: pair(x.Strs, l.Strs, func(xs, entries []string) bool {
		for _, t := range xs {
			if inEntries(t, entries) {
				return true
			}
		}
		return false
	})}
}

// inEntries knows *@domain for all of a domain.
func inEntries(t string, entries []string) bool {
	for _, e := range entries {
		if strings.EqualFold(t, e) {
			return t != ""
		}
		if d, ok := strings.CutPrefix(e, "*@"); ok && strings.EqualFold(domainOf(t), d) && strings.Contains(t, "@") {
			return true
		}
	}
	return false
}

func makeWithin(s *Scope, c *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	var conds []*Value
	var nets []string
	for i, v := range a[1:] {
		switch {
		case v.Type == ListRef:
			conds = append(conds, &Value{Type: Bool, Bool: lookIn(a[0], v.List)})
		case !v.Const:
			s.Bag.Error(diag.NotConstant, c.Args[i+1].Range(), "Networks must be known when the configuration is loaded.", "Write \"192.0.2.0/24\", or a list block of type ip.")
			return invalid
		case v.Type == Strings:
			items, _ := v.Strs(nil)
			nets = append(nets, items...)
		default:
			t, _ := v.Str(nil)
			nets = append(nets, t)
		}
	}
	if nets != nil {
		l := s.literalList(nets, IP, c.Range())
		if l == nil {
			return invalid
		}
		conds = append(conds, &Value{Type: Bool, Bool: func(r *Run) Tri {
			ip, known := a[0].IP(r)
			return insideOf(l, ip, known)
		}})
	}
	return chain(conds, or)
}

func insideOf(l *lists.List, ip netip.Addr, known bool) Tri {
	if !known {
		return Unknown
	}
	return truth(l.HasIP(ip))
}
