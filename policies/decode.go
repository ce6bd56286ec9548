package policies

import (
	"reflect"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/policies/internal/lists"
	"github.com/forepost/forepost/relay/pipeline"
)

var (
	keyType      = reflect.TypeFor[filters.Key]()
	durationType = reflect.TypeFor[time.Duration]()
)

// requiredForms are what is written where a setting is missing.
var requiredForms = map[string]string{"zone": "Write zone = \"zen.example.com\".", "rate": "Write rate = \"300/1h\", or a list of such.",
	"url": "Write url = \"http://127.0.0.1:11333\".", "socket": "Write socket = \"/run/clamav/clamd.ctl\"."}

// decode fills a filter's own settings from the attributes that their tags name:
// `hcl:"zone,required"`, `words:"a|b"` for bare words, `unit:"bytes"` for sizes,
// `form:"pattern"` for regular expressions, `form:"file"` for names of files.
// Keys are compiled in the scope that scope gives.
func (l *loader) decode(b *body, in *instance, scope func() *expr.Scope) {
	v := reflect.ValueOf(in.settings)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return
	}
	v = v.Elem()
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, opts, _ := strings.Cut(f.Tag.Get("hcl"), ",")
		if name == "" || !f.IsExported() {
			continue
		}
		x, ok := b.attr(name)
		if !ok {
			if opts == "required" {
				b.require(name, requiredForms[name])
			}
			continue
		}
		if f.Type == keyType {
			l.decodeKey(v.Field(i), x, in, scope())
			continue
		}
		l.decodeField(v.Field(i), f, name, x)
	}
}

func (l *loader) decodeField(v reflect.Value, f reflect.StructField, name string, x hclsyntax.Expression) {
	words := f.Tag.Get("words")
	switch {
	case words != "":
		l.decodeWords(v, name, x, strings.Split(words, "|"))
	case f.Type == durationType:
		if c, ok := l.constant(x, name, expr.String); ok {
			s, _ := c.Str(nil)
			d, err := expr.ParseDuration(s)
			if err != nil {
				l.bag.Error(diag.BadValue, x.Range(), "\""+s+"\" is no duration.", "Write \"90s\", \"5m\", \"4h\" or \"30d\".")
			}
			v.SetInt(int64(d))
		}
	case f.Tag.Get("unit") == "bytes":
		if n, ok := l.sizeOf(x, name); ok {
			v.SetInt(n)
		}
	default:
		l.decodePlain(v, name, x)
		if f.Tag.Get("form") == "pattern" {
			l.checkPatterns(x)
		}
		if f.Tag.Get("form") == "file" && v.String() != "" {
			v.SetString(l.path(v.String()))
		}
	}
}

// checkPatterns tells all patterns of a setting that are none, each at its place:
// the filter itself stops at the first. Those of a list block were looked at there.
func (l *loader) checkPatterns(x hclsyntax.Expression) {
	elements := []hclsyntax.Expression{x}
	if t, ok := l.env.Deref(x).(*hclsyntax.TupleConsExpr); ok {
		elements = t.Exprs
	}
	for _, e := range elements {
		text, ok := plainText(e)
		if !ok {
			continue
		}
		if _, err := lists.Compile(text); err != nil {
			l.bag.Error(diag.BadPattern, e.Range(), err.Error()+".", "Patterns are RE2 (github.com/google/re2/wiki/Syntax); write a backslash as \\\\.")
		} else if here, is := lists.Slashed(text); is {
			l.bag.Warn(diag.BadPattern, e.Range(), slashesText, "Write "+Quote(here)+".")
		}
	}
}

// decodePlain is a field whose Go type says it all.
func (l *loader) decodePlain(v reflect.Value, name string, x hclsyntax.Expression) {
	switch v.Kind() {
	case reflect.String:
		if c, ok := l.constant(x, name, expr.String); ok {
			s, _ := c.Str(nil)
			v.SetString(s)
		}
	case reflect.Bool:
		if c, ok := l.constant(x, name, expr.Bool); ok {
			v.SetBool(c.Bool(nil) == expr.Yes)
		}
	case reflect.Int, reflect.Int64:
		if c, ok := l.constant(x, name, expr.Number); ok {
			n, _ := c.Num(nil)
			if n != float64(int64(n)) {
				l.bag.Error(diag.BadValue, x.Range(), name+" is a whole number.", "")
			}
			v.SetInt(int64(n))
		}
	case reflect.Float64:
		if c, ok := l.constant(x, name, expr.Number); ok {
			n, _ := c.Num(nil)
			v.SetFloat(n)
		}
	case reflect.Slice:
		v.Set(reflect.ValueOf(l.textsOf(x, name)))
	default:
		l.bag.Error(diag.NotThisVersion, x.Range(), name+" cannot be set.", "")
	}
}

// decodeWords is a bare word, or a list of them.
func (l *loader) decodeWords(v reflect.Value, name string, x hclsyntax.Expression, words []string) {
	if v.Kind() == reflect.String {
		if w, ok := l.wordOf(x, name, words); ok {
			v.SetString(w)
		}
		return
	}
	elements := []hclsyntax.Expression{x}
	if t, ok := x.(*hclsyntax.TupleConsExpr); ok {
		elements = t.Exprs
	}
	out := []string{}
	for _, e := range elements {
		if w, ok := l.wordOf(e, name, words); ok {
			out = append(out, w)
		}
	}
	v.Set(reflect.ValueOf(out))
}

// decodeKey makes a closure of an expression.
func (l *loader) decodeKey(v reflect.Value, x hclsyntax.Expression, in *instance, s *expr.Scope) {
	val := s.Text(x)
	if val == nil {
		return
	}
	in.dependOn(&s.Refs)
	late := &lateKey{}
	in.keys = append(in.keys, late)
	v.Set(reflect.ValueOf(filters.Key(func(tx *pipeline.Transaction) (string, bool) {
		return val.Str(late.run(tx))
	})))
}
