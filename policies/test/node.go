package test

import (
	"fmt"
	"path/filepath"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/forepost/forepost/policies/internal/diag"
)

// node is a value of a test with the place where it was written, so that what is
// wrong with it can be told there. One of obj, list and leaf is set.
type node struct {
	at   hcl.Range
	obj  map[string]*node
	list []*node
	leaf any // string, float64, bool
}

// eval makes a node of an expression; nil where it is wrong, which is reported
// then.
func (f *file) eval(x hclsyntax.Expression, ctx *hcl.EvalContext) *node {
	switch x := x.(type) {
	case *hclsyntax.ObjectConsExpr:
		n := &node{at: x.Range(), obj: map[string]*node{}}
		for _, it := range x.Items {
			key, ds := it.KeyExpr.Value(ctx)
			f.bag.Syntax(ds)
			if ds.HasErrors() || key.IsNull() || key.Type() != cty.String {
				return nil
			}
			v := f.eval(it.ValueExpr, ctx)
			if v == nil {
				return nil
			}
			n.obj[key.AsString()] = v
		}
		return n
	case *hclsyntax.TupleConsExpr:
		n := &node{at: x.Range(), list: []*node{}}
		for _, e := range x.Exprs {
			v := f.eval(e, ctx)
			if v == nil {
				return nil
			}
			n.list = append(n.list, v)
		}
		return n
	}
	return f.plain(x, ctx)
}

// plain evaluates an expression that HCL knows how to.
func (f *file) plain(x hclsyntax.Expression, ctx *hcl.EvalContext) *node {
	if ctx == nil {
		ctx = f.context(cty.NilVal, cty.NilVal)
	}
	v, ds := x.Value(ctx)
	for _, d := range ds {
		f.bag.Error(diag.BadValue, x.Range(), d.Summary+". "+d.Detail, "")
	}
	if ds.HasErrors() {
		return nil
	}
	n := fromCty(v, x.Range())
	if n == nil {
		f.bag.Error(diag.WrongType, x.Range(), "This is no text, number, bool, list or object.", "")
	}
	return n
}

func fromCty(v cty.Value, at hcl.Range) *node {
	n := &node{at: at}
	switch {
	case v.IsNull() || !v.IsWhollyKnown():
		return nil
	case v.Type() == cty.String:
		n.leaf = v.AsString()
	case v.Type() == cty.Bool:
		n.leaf = v.True()
	case v.Type() == cty.Number:
		n.leaf, _ = v.AsBigFloat().Float64()
	case v.Type().IsObjectType() || v.Type().IsMapType():
		n.obj = map[string]*node{}
		for k, e := range v.AsValueMap() {
			if n.obj[k] = fromCty(e, at); n.obj[k] == nil {
				return nil
			}
		}
	case v.CanIterateElements():
		n.list = []*node{}
		for _, e := range v.AsValueSlice() {
			c := fromCty(e, at)
			if c == nil {
				return nil
			}
			n.list = append(n.list, c)
		}
	default:
		return nil
	}
	return n
}

// context is what expressions of a case can name: each, and file().
func (f *file) context(key, value cty.Value) *hcl.EvalContext {
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{}, Functions: map[string]function.Function{"file": f.fileFunction()}}
	if value != cty.NilVal {
		ctx.Variables["each"] = cty.ObjectVal(map[string]cty.Value{"key": key, "value": value})
	}
	return ctx
}

// fileFunction is file("x.eml"), relative to the file of tests.
func (f *file) fileFunction() function.Function {
	return function.New(&function.Spec{
		Params: []function.Parameter{{Name: "name", Type: cty.String}},
		Type:   function.StaticReturnType(cty.String),
		Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
			name := args[0].AsString()
			if !filepath.IsAbs(name) {
				name = filepath.Join(filepath.Dir(f.name), name)
			}
			b, err := f.read(name)
			if err != nil {
				return cty.NilVal, fmt.Errorf("the file cannot be read: %w", err)
			}
			return cty.StringVal(string(b)), nil
		},
	})
}

// texts is a list of strings; a single string is a list of one.
func (n *node) texts() ([]string, bool) {
	if s, ok := n.leaf.(string); ok {
		return []string{s}, true
	}
	if n.list == nil {
		return nil, false
	}
	out := make([]string, 0, len(n.list))
	for _, e := range n.list {
		s, ok := e.leaf.(string)
		if !ok {
			return nil, false
		}
		out = append(out, s)
	}
	return out, true
}

// over puts one value over another: objects attribute by attribute, everything
// else whole.
func (n *node) over(base *node) *node {
	if base == nil || base.obj == nil || n.obj == nil {
		return n
	}
	out := &node{at: n.at, obj: map[string]*node{}}
	for k, v := range base.obj {
		out.obj[k] = v
	}
	for k, v := range n.obj {
		out.obj[k] = v.over(base.obj[k])
	}
	return out
}
