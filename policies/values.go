package policies

import (
	"net/netip"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/policies/internal/lists"
	"github.com/forepost/forepost/relay/mail"
)

// text is a string, def where it is not written.
func (b *body) text(name, def string) string {
	v, ok := b.value(name, expr.String)
	if !ok {
		return def
	}
	s, _ := v.Str(nil)
	return s
}

// secret is a string that is not printed.
func (b *body) secret(name string) Secret { return Secret(b.text(name, "")) }

func (b *body) boolean(name string, def bool) bool {
	v, ok := b.value(name, expr.Bool)
	if !ok {
		return def
	}
	return v.Bool(nil) == expr.Yes
}

// number is a whole number of at least 0.
func (b *body) number(name string, def int) int {
	v, ok := b.value(name, expr.Number)
	if !ok {
		return def
	}
	n, _ := v.Num(nil)
	if n < 0 || n != float64(int32(n)) {
		b.bad(name, name+" is a whole number of at least 0.", "")
		return def
	}
	return int(n)
}

func (b *body) duration(name string, def time.Duration) time.Duration {
	s := b.text(name, "")
	if s == "" {
		return def
	}
	d, err := expr.ParseDuration(s)
	if err != nil {
		b.bad(name, "\""+s+"\" is no duration.", "Write \"90s\", \"5m\", \"4h\" or \"30d\".")
		return def
	}
	return d
}

// size is a number of octets, as a string with a unit or as a number.
func (b *body) size(name string, def int64) int64 {
	x, ok := b.attr(name)
	if !ok {
		return def
	}
	n, ok := b.l.sizeOf(x, name)
	if !ok {
		return def
	}
	return n
}

func (l *loader) sizeOf(x hclsyntax.Expression, name string) (int64, bool) {
	v := l.env.Settings().Compile(x)
	switch v.Type {
	case expr.Invalid:
		return 0, false
	case expr.Number:
		if n, _ := v.Num(nil); n >= 0 && n < 1<<62 {
			return int64(n), true
		}
	case expr.String:
		s, _ := v.Str(nil)
		if n, err := expr.ParseSize(s); err == nil {
			return n, true
		}
	}
	l.bag.Error(diag.BadValue, x.Range(), name+" is a number of octets.", "Write \"512KB\", \"20MB\" or \"1GB\".")
	return 0, false
}

// texts is a list of strings; a single string is a list of one.
func (b *body) texts(name string) []string {
	x, ok := b.attr(name)
	if !ok {
		return nil
	}
	return b.l.textsOf(x, name)
}

func (l *loader) textsOf(x hclsyntax.Expression, name string) []string {
	v := l.env.Settings().Compile(x)
	switch v.Type {
	case expr.Invalid:
		return nil
	case expr.String:
		s, _ := v.Str(nil)
		return []string{s}
	case expr.Strings:
		ss, _ := v.Strs(nil)
		return ss
	case expr.ListRef:
		return v.List.Items()
	}
	l.bag.Error(diag.WrongType, x.Range(), name+" is a list of strings, and this is a "+v.Type.String()+".", "Write ["+"\"a\", \"b\"].")
	return nil
}

// word is one of a closed set, written bare.
func (b *body) word(name, def string, words ...string) string {
	x, ok := b.attr(name)
	if !ok {
		return def
	}
	w, ok := b.l.wordOf(x, name, words)
	if !ok {
		return def
	}
	return w
}

func (l *loader) wordOf(x hclsyntax.Expression, name string, words []string) (string, bool) {
	w := hcl.ExprAsKeyword(x)
	if w == "" {
		fix := "Write " + name + " = " + strings.Join(words, " or ") + "."
		if t, ok := plainText(x); ok && contains(words, t) {
			fix = "Write it without quotes: " + name + " = " + t + "."
		}
		l.bag.Error(diag.UnknownWord, x.Range(), name+" is one of the words "+strings.Join(words, ", ")+".", fix)
		return "", false
	}
	if !contains(words, w) {
		l.bag.Error(diag.UnknownWord, x.Range(), "\""+w+"\" is not a word for "+name+".", diag.DidYouMean(w, words))
		return "", false
	}
	return w, true
}

// plainText is the text of an expression in quotes.
func plainText(x hclsyntax.Expression) (string, bool) {
	t, ok := x.(*hclsyntax.TemplateExpr)
	if !ok || !t.IsStringLiteral() {
		return "", false
	}
	v, _ := t.Value(nil)
	return v.AsString(), true
}

// networks is a list of addresses and networks.
func (b *body) networks(name string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range b.texts(name) {
		p, err := lists.ParseNetwork(s)
		if err != nil {
			b.bad(name, "\""+s+"\": "+err.Error()+".", "")
			continue
		}
		out = append(out, p)
	}
	return out
}

// addresses is a list of mail addresses.
func (b *body) addresses(name string) []mail.Address {
	x, ok := b.attr(name)
	if !ok {
		return nil
	}
	return b.l.addressesOf(x, name)
}

func (l *loader) addressesOf(x hclsyntax.Expression, name string) []mail.Address {
	var out []mail.Address
	for _, s := range l.textsOf(x, name) {
		a, err := mail.ParseAddress(s, true)
		if err != nil || a.IsNull() {
			l.bag.Error(diag.BadValue, x.Range(), "\""+s+"\" is no mail address.", "Write user@example.com.")
			continue
		}
		out = append(out, a)
	}
	return out
}

// where is the place of the block, for settings.
func (b *body) where() Where { return Where{b.at.Filename, b.at.Start.Line} }
