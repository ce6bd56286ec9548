package expr

import (
	"net/textproto"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/relay/pipeline"
)

func otherFunctions() []Function {
	return []Function{
		{Name: "header", Result: String, Args: "(name)", Doc: "the first header field of that name, decoded; \"\" where there is none", args: []types{isText}, make: makeHeader},
		{Name: "headers", Result: Strings, Args: "(name)", Doc: "all header fields of that name, decoded", args: []types{isText}, make: makeHeaders},
		{Name: "lookup", Result: String, Args: "({ key = \"text\" }, key, default)", Doc: "the text for the key", args: []types{0, isText, isText}, make: makeLookup},
		{Name: "secret", Result: String, Args: "(name)", Doc: "a secret from $CREDENTIALS_DIRECTORY or /etc/forepost/secrets; printed nowhere", args: []types{isText}, make: makeSecret},
		{Name: "file", Result: String, Args: "(name)", Doc: "what stands in a file, read when the configuration is loaded", args: []types{isText}, make: makeFile},
	}
}

// headerFact is what header() is known as when a stage is too early for it.
var headerFact = &Fact{Path: "header()", From: pipeline.Data, Slot: -1, Forgeable: true}

func (s *Scope) headerName(c *hclsyntax.FunctionCallExpr, a []*Value) (string, bool) {
	name, ok := s.constant(a[0], c.Args[0], "The name of a field")
	if !ok || !s.dynamic(c) || !s.known(headerFact, c.Range()) {
		return "", false
	}
	s.Refs.note(headerFact)
	s.HeadersUsed[textproto.CanonicalMIMEHeaderKey(name)] = true
	return name, true
}

func makeHeader(s *Scope, c *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	name, ok := s.headerName(c, a)
	if !ok {
		return invalid
	}
	return &Value{Type: String, Str: func(r *Run) (string, bool) {
		if r.Tx.Past != nil && !r.hasFields("header(\""+name+"\")", []string{name}) {
			return "", false
		}
		return DecodeText(field(r.Tx.Part, name)), true
	}}
}

func makeHeaders(s *Scope, c *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	name, ok := s.headerName(c, a)
	if !ok {
		return invalid
	}
	return &Value{Type: Strings, Strs: func(r *Run) ([]string, bool) {
		if r.Tx.Past != nil && !r.hasFields("headers(\""+name+"\")", []string{name}) {
			return nil, false
		}
		raw := fields(r.Tx.Part, name)
		for i := range raw {
			raw[i] = DecodeText(raw[i])
		}
		return raw, true
	}}
}

// makeLookup reads the object as it stands: texts by names.
func makeLookup(s *Scope, c *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	obj, ok := s.Deref(c.Args[0]).(*hclsyntax.ObjectConsExpr)
	if !ok {
		s.Bag.Error(diag.WrongArguments, c.Args[0].Range(), "The first argument of lookup is an object of texts.", "Write lookup({ \"a.test\" = \"x\" }, mail.domain, \"y\").")
		return invalid
	}
	table := map[string]string{}
	for _, it := range obj.Items {
		key, value := s.Settings().Compile(keyExpr(it.KeyExpr)), s.Settings().Text(it.ValueExpr)
		if key.Type != String || value == nil {
			return invalid
		}
		k, _ := key.Str(nil)
		table[k], _ = value.Str(nil)
	}
	v := &Value{Type: String, Str: func(r *Run) (string, bool) {
		k, known := a[1].Str(r)
		if t, ok := table[k]; known && ok {
			return t, true
		}
		other, ok := a[2].Str(r)
		return other, ok && known
	}}
	return v.fold(a[1], a[2])
}

// keyExpr is the key of an object as an expression: a bare word is its own text.
func keyExpr(x hclsyntax.Expression) hclsyntax.Expression {
	k, ok := x.(*hclsyntax.ObjectConsKeyExpr)
	if !ok {
		return x
	}
	if w := hcl.ExprAsKeyword(k.Wrapped); w != "" && !k.ForceNonLiteral {
		return &hclsyntax.TemplateExpr{Parts: []hclsyntax.Expression{literalText(w, x.Range())}, SrcRange: x.Range()}
	}
	return k.Wrapped
}

// Deref is the expression that a local stands for.
func (e *Env) Deref(x hclsyntax.Expression) hclsyntax.Expression {
	for range 16 { // a circle of locals is reported where it is compiled
		t, ok := x.(*hclsyntax.ScopeTraversalExpr)
		if !ok {
			return x
		}
		path, ok := names(t.Traversal)
		if !ok || len(path) != 2 || path[0] != "local" || e.Locals[path[1]] == nil {
			return x
		}
		x = e.Locals[path[1]]
	}
	return x
}

func makeSecret(s *Scope, c *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	name, ok := s.constant(a[0], c.Args[0], "The name of a secret")
	if !ok {
		return invalid
	}
	v := ConstString(s.Secret(name, c.Range()))
	v.Secret = true
	return v
}

func makeFile(s *Scope, c *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	name, ok := s.constant(a[0], c.Args[0], "The name of a file")
	if !ok {
		return invalid
	}
	return ConstString(s.File(name, c.Range()))
}
