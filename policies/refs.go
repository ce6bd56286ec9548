package policies

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
)

// builtins are names that need no block.
var builtins = map[string][]string{"route": {"mx", "store"}, "policy": {"recommended"}, "rules": {"recommended"}}

// topLevel are the blocks of a file, with how they are written; the references
// are to those with one label.
var topLevel = map[string]struct {
	labels int
	like   string
}{
	"listener": {1, "listener \"edge\""}, "domain": {1, "domain \"example.com\""}, "route": {1, "route \"inside\""},
	"filter": {-1, ""}, "list": {1, "list \"partners\""}, "quarantine": {1, "quarantine \"spam\""},
	"policy": {1, "policy \"inbound\""}, "rules": {1, "rules \"common\""}, "variable": {1, "variable \"site\""}, "locals": {0, "locals"},
	"imap": {1, "imap \"readers\""}, "pop3": {1, "pop3 \"readers\""}, "store": {0, "store"}, "account": {1, "account \"a@example.com\""},
	"dns": {0, "dns"}, "redis": {1, "redis \"shared\""}, "state": {0, "state"}, "tls": {1, "tls \"main\""},
	"control": {0, "control"}, "web": {0, "web"}, "metrics": {0, "metrics"}, "log": {0, "log"}, "reports": {0, "reports"}, "srs": {0, "srs"}, "bounces": {0, "bounces"},
	"logins": {0, "logins"}, "callout": {0, "callout"},
	"ldap": {1, "ldap \"office\""},
}

// index finds unknown and doubled blocks, and makes the named ones known.
func (l *loader) index() {
	for typ, blocks := range l.blocks {
		form, ok := topLevel[typ]
		for _, b := range blocks {
			if !ok {
				l.bag.Error(diag.UnknownBlock, b.TypeRange, "There is no block \""+typ+"\".", orHelp(diag.DidYouMean(typ, keysOf(topLevel)), "forepost help policy blocks tells all there are."))
				continue
			}
			if form.labels >= 0 && !l.label(b, form.labels, form.like) {
				continue
			}
			l.indexOne(typ, b, form.labels)
		}
	}
}

func (l *loader) indexOne(typ string, b *hclsyntax.Block, n int) {
	name := ""
	for _, label := range b.Labels {
		name += "." + label
	}
	if typ == "locals" {
		return
	}
	if n == 1 {
		name = b.Labels[0]
	}
	if l.named[typ] == nil {
		l.named[typ] = map[string]*hclsyntax.Block{}
	}
	if contains(builtins[typ], name) {
		l.bag.Error(diag.Duplicate, b.DefRange(), typ+"."+name+" is built in.", "Give it another name.")
		return
	}
	if first, ok := l.named[typ][name]; ok {
		l.bag.Error(diag.Duplicate, b.DefRange(), "It stands in line "+itoa(first.TypeRange.Start.Line)+" of "+first.TypeRange.Filename+" already.", "Keep one.")
		return
	}
	l.named[typ][name] = b
}

// each goes through the blocks of a type that are declared well.
func (l *loader) each(typ string, f func(name string, b *body)) {
	for _, blk := range l.blocks[typ] {
		name := ""
		if len(blk.Labels) > 0 {
			name = blk.Labels[0]
		}
		if l.named[typ][name] == blk {
			f(name, l.body(blk))
		}
	}
}

// single is the block of a type that stands once, nil where it does not.
func (l *loader) single(typ string) *body {
	if blk := l.named[typ][""]; blk != nil {
		return l.body(blk)
	}
	return nil
}

// ref is a reference to a block of a type; "" where it is not written or wrong.
func (b *body) ref(name, typ string) string {
	x, ok := b.attr(name)
	if !ok {
		return ""
	}
	to, _ := b.l.refOf(x, name, typ)
	return to
}

func (l *loader) refOf(x hclsyntax.Expression, name, typ string) (string, bool) {
	t, diags := hcl.AbsTraversalForExpr(x)
	var step hcl.TraverseAttr
	ok := !diags.HasErrors() && len(t) == 2 && t.RootName() == typ
	if ok {
		step, ok = t[1].(hcl.TraverseAttr)
	}
	if !ok {
		fix := "Write " + name + " = " + typ + ".name."
		if s, plain := plainText(x); plain {
			fix = "Write it as a reference: " + name + " = " + typ + "." + s + "."
		}
		l.bag.Error(diag.WrongType, x.Range(), name+" is a reference to a "+typ+" block.", fix)
		return "", false
	}
	if l.named[typ][step.Name] == nil && !contains(builtins[typ], step.Name) {
		known := append(keysOf(l.named[typ]), builtins[typ]...)
		l.bag.Error(diag.UnknownReference, x.Range(), "There is no "+typ+" \""+step.Name+"\".", orHelp(diag.DidYouMean(step.Name, known), "Declare it: "+typ+" \""+step.Name+"\" { }."))
		return "", false
	}
	l.used[typ+"."+step.Name] = true
	return step.Name, true
}

func keysOf[T any](m map[string]T) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

// orHelp is what to do where nothing can be suggested.
func orHelp(suggestion, help string) string {
	if suggestion == "" {
		return help
	}
	return suggestion
}
