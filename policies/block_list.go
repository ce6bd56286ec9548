package policies

import (
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/lists"
)

// lists reads `list` blocks.
func (l *loader) lists() {
	l.each("list", func(name string, b *body) {
		b.require("type", "Write type = address, domain, ip, word, glob, regex or hash.")
		typ := lists.Type(b.word("type", string(lists.Word), lists.Types()...))
		items := b.texts("items")
		file := b.text("file", "")
		b.text("refresh", "")
		format := b.word("format", "lines", lists.Formats()...)
		if instead, ok := l.o.Lists[name]; ok {
			b.known = append(b.known, "source")
			b.done()
			l.list(name, typ, instead, b)
			return
		}
		if source := b.text("source", ""); source != "" {
			l.notServed(b.rangeOf("source"), "A list cannot come from a directory server in this version.",
				"Export it to a file, one entry a line, and write file = \"lists/"+name+".txt\".")
		} else if b.has("refresh") {
			l.bag.Error(diag.NotThisVersion, b.rangeOf("refresh"), "refresh belongs to source.", "A file is read again at `forepost reload`.")
		} else if !b.has("items") && !b.has("file") {
			l.bag.Error(diag.MissingAttribute, b.at, b.what+" has neither items nor file.", "Write items = [\"...\"] or file = \"lists/"+name+".txt\".")
		}
		if file != "" {
			items = append(items[:len(items):len(items)], lists.ParseAs(format, typ, []byte(l.readText(file, b.rangeOf("file"))))...)
		}
		b.done()
		l.list(name, typ, items, b)
	})
}

func (l *loader) list(name string, typ lists.Type, items []string, b *body) {
	set, errs := lists.New(typ, items)
	l.env.Lists[name] = set
	at := b.rangeOf("items")
	if b.has("file") && !b.has("items") {
		at = b.rangeOf("file")
	}
	for _, err := range errs {
		l.bag.Error(diag.BadValue, at, "list "+name+": "+err.Error()+".", "")
	}
	if x, ok := l.named["list"][name].Body.Attributes["items"]; ok && len(errs) == 0 {
		if t, ok := x.Expr.(*hclsyntax.TupleConsExpr); ok && len(t.Exprs) == 0 && !b.has("file") {
			l.bag.Warn(diag.EmptyList, x.Expr.Range(), "list."+name+" has no entries.", "")
		}
	}
}
