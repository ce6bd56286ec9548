package policies

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
)

const numberType = expr.Number

// object reads { a = 1, b = 2 } as if it were a block, so that its attributes
// are checked as a block's are; nil where it is no object.
func (l *loader) object(x hclsyntax.Expression, name string, in *body) *body {
	o, ok := l.env.Deref(x).(*hclsyntax.ObjectConsExpr)
	if !ok {
		l.bag.Error(diag.WrongType, x.Range(), name+" is an object.", orHelp(objectForms[name], "Write "+name+" = { ... }."))
		return nil
	}
	attrs := hclsyntax.Attributes{}
	for _, it := range o.Items {
		key, ok := objectKey(it.KeyExpr)
		if !ok {
			l.bag.Error(diag.NotTheLanguage, it.KeyExpr.Range(), "The names in an object are written out.", "")
			continue
		}
		if attrs[key] != nil {
			l.bag.Error(diag.Duplicate, it.KeyExpr.Range(), key+" stands twice.", "Keep one.")
			continue
		}
		attrs[key] = &hclsyntax.Attribute{Name: key, Expr: it.ValueExpr, NameRange: it.KeyExpr.Range(),
			SrcRange: hcl.RangeBetween(it.KeyExpr.Range(), it.ValueExpr.Range())}
	}
	return &body{l: l, b: &hclsyntax.Body{Attributes: attrs}, at: x.Range(), what: name + " of " + in.what}
}

// objectForms are the forms of objects that have one usual form.
var objectForms = map[string]string{
	"dkim":       "Write dkim = [{ selector = \"fp1\", key = secret(\"dkim-fp1\") }].",
	"thresholds": "Write thresholds = { tag = 4, quarantine = 7, reject = 15 }.",
	"aliases":    "Write aliases = { info = [\"ann@example.com\"] }.",
	"auth":       "Write auth = { user = \"relay\", password = secret(\"relay\") }.",
	"add_header": "Write add_header = { \"X-Example\" = \"text\" }.",
}

// objectKey is a name, bare or in quotes.
func objectKey(x hclsyntax.Expression) (string, bool) {
	k, ok := x.(*hclsyntax.ObjectConsKeyExpr)
	if !ok {
		return "", false
	}
	if w := hcl.ExprAsKeyword(k.Wrapped); w != "" {
		return w, true
	}
	return plainText(k.Wrapped)
}

// objects are the elements of a list of objects.
func (l *loader) objects(x hclsyntax.Expression, name string, in *body) []*body {
	t, ok := l.env.Deref(x).(*hclsyntax.TupleConsExpr)
	if !ok {
		if o := l.object(x, name, in); o != nil {
			return []*body{o}
		}
		return nil
	}
	var out []*body
	for _, e := range t.Exprs {
		if o := l.object(e, name, in); o != nil {
			out = append(out, o)
		}
	}
	return out
}

// plainPassword warns of a password that stands in the file as it is.
func (l *loader) plainPassword(b *body, name string) {
	a := b.b.Attributes[name]
	if a == nil {
		return
	}
	s, plain := plainText(a.Expr)
	if plain && !strings.HasPrefix(s, "$") && !strings.HasPrefix(s, "{") {
		l.bag.Warn(diag.PlainTextPassword, a.Expr.Range(), "The password stands in the file as it is.", "Write "+name+" = secret(\"name\").")
	}
}
