package policies

import (
	"os"
	"strconv"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
)

// varsFile, beside the main file, gives values to variables.
const varsFile = "forepost.vars.hcl"

// variables reads `variable` blocks. Values come from -var, else from
// FOREPOST_VAR_name, else from forepost.vars.hcl, else from `default`.
func (l *loader) variables() {
	written := l.varsWritten()
	l.each("variable", func(name string, b *body) {
		typ := b.word("type", "string", "string", "number", "bool", "strings")
		b.text("description", "")
		sensitive := b.boolean("sensitive", false)
		fallback, has := b.attr("default")
		b.done()
		before := l.bag.Errors()
		v := l.varValue(name, typ, written[name])
		if v == nil && l.bag.Errors() > before {
			v = wrongValue // said already
		}
		if v == nil && has {
			v = l.env.Settings().Compile(fallback)
		}
		if v == nil {
			l.bag.Error(diag.MissingAttribute, b.at, "The variable "+name+" has no value.",
				"Set FOREPOST_VAR_"+name+", give -var "+name+"=..., write it in "+varsFile+", or give it a default.")
			v = wrongValue
		}
		if want := varTypes[typ]; b.has("type") && v.Type != expr.Invalid && v.Type != want {
			l.bag.Error(diag.WrongType, b.at, "The variable "+name+" is a "+want.String()+", and its value is a "+v.Type.String()+".", "")
			v = wrongValue
		}
		l.env.Vars[name] = hidden(v, sensitive)
	})
	for name, x := range written {
		if l.named["variable"][name] == nil {
			l.bag.Error(diag.UnknownReference, x.Range(), "There is no variable \""+name+"\".", diag.DidYouMean(name, keysOf(l.named["variable"])))
		}
	}
}

// wrongValue is a value that is wrong, which was said: whoever meets it says
// nothing more.
var wrongValue = &expr.Value{Type: expr.Invalid}

var varTypes = map[string]expr.Type{"string": expr.String, "number": expr.Number, "bool": expr.Bool, "strings": expr.Strings}

// hidden is a value that is not printed where it is sensitive.
func hidden(v *expr.Value, sensitive bool) *expr.Value {
	if !sensitive {
		return v
	}
	secret := *v
	secret.Secret = true
	return &secret
}

// varsWritten are the attributes of forepost.vars.hcl, if there is one.
func (l *loader) varsWritten() map[string]hclsyntax.Expression {
	out := map[string]hclsyntax.Expression{}
	name := l.path(varsFile)
	text, err := l.o.ReadFile(name)
	if err != nil {
		if !os.IsNotExist(err) {
			l.bag.Error(diag.CannotRead, hcl.Range{Filename: name, Start: hcl.InitialPos, End: hcl.InitialPos}, name+": "+err.Error()+".", "")
		}
		return out
	}
	l.env.Sources[name] = text
	f, ds := hclsyntax.ParseConfig(text, name, hcl.InitialPos)
	b, _ := f.Body.(*hclsyntax.Body)
	l.bag.AddFile(name, text, b)
	l.bag.Syntax(ds)
	if b == nil {
		return out
	}
	for _, a := range b.Attributes {
		out[a.Name] = a.Expr
	}
	return out
}

// varValue is the value that was set from outside; nil for none.
func (l *loader) varValue(name, typ string, written hclsyntax.Expression) *expr.Value {
	s, ok := l.o.Vars[name]
	if !ok {
		s, ok = l.o.Env("FOREPOST_VAR_" + name)
	}
	if !ok {
		if written == nil {
			return nil
		}
		return l.env.Settings().Compile(written)
	}
	switch typ {
	case "number":
		if n, err := strconv.ParseFloat(s, 64); err == nil {
			return expr.ConstNumber(n)
		}
	case "bool":
		if b, err := strconv.ParseBool(s); err == nil {
			return expr.ConstBool(b)
		}
	case "strings":
		return expr.ConstStrings([]string{s})
	default:
		return expr.ConstString(s)
	}
	at := l.named["variable"][name].DefRange()
	l.bag.Error(diag.BadValue, at, "The value that was given for "+name+" is no "+typ+".", "")
	return nil
}

// locals collects what `locals` blocks define. They are compiled where they are
// used, since they may hold conditions.
func (l *loader) locals() {
	for _, b := range l.blocks["locals"] {
		for _, a := range sortedAttributes(b.Body) {
			if _, ok := l.env.Locals[a.Name]; ok {
				l.bag.Error(diag.Duplicate, a.NameRange, "local."+a.Name+" is defined already.", "Keep one.")
				continue
			}
			l.env.Locals[a.Name] = a.Expr
		}
		for _, in := range b.Body.Blocks {
			l.bag.Error(diag.UnknownBlock, in.TypeRange, "locals has no blocks.", "Write "+in.Type+" = ...")
		}
	}
}

// checkLocals finds the mistakes of those that nothing uses; it runs when all
// facts are declared. Objects are read where they are used.
func (l *loader) checkLocals() {
	for _, x := range l.env.Locals {
		if _, object := x.(*hclsyntax.ObjectConsExpr); !object {
			l.env.Anywhere().Compile(x)
		}
	}
}

func itoa(n int) string { return strconv.Itoa(n) }
