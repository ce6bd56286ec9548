package policies

import (
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/lists"
)

// defaultRefresh is how often a directory is read that says nothing else.
const defaultRefresh = 15 * time.Minute

// lists reads `list` blocks.
func (l *loader) lists() {
	l.each("list", func(name string, b *body) {
		b.require("type", "Write type = address, domain, ip, word, glob, regex or hash.")
		typ := lists.Type(b.word("type", string(lists.Word), lists.Types()...))
		items := b.texts("items")
		v := List{Name: name, At: b.where(), Source: b.text("source", ""), fixed: items}
		v.table = lists.Table{Format: lists.Format(b.word("format", string(lists.Lines), lists.Formats()...)), Type: typ, Values: b.texts("values")}
		if b.has("values") && v.table.Format == lists.Lines {
			b.bad("values", "Only tables say something behind their keys.", "Write format = postfix or format = rspamd, or leave values out.")
		}
		file := b.text("file", "")
		refresh := b.duration("refresh", 0)
		b.done()
		if instead, ok := l.o.Lists[name]; ok {
			l.list(name, typ, instead, b)
			return
		}
		switch {
		case v.Source != "":
			l.sourced(&v, typ, refresh, b)
			return
		case !b.has("items") && !b.has("file"):
			l.bag.Error(diag.MissingAttribute, b.at, b.what+" has neither items nor file nor source.", "Write items = [\"...\"] or file = \"lists/"+name+".txt\".")
		case file != "":
			v.File = l.path(file)
			items = append(items[:len(items):len(items)], l.entries(&v, b)...)
		}
		set := l.list(name, typ, items, b)
		if v.File != "" {
			set.Changes = true
			v.set = set
			l.set.Lists = append(l.set.Lists, v)
		}
	})
}

// sourced is a list that a directory has. Nothing is known of it until it is read.
func (l *loader) sourced(v *List, typ lists.Type, refresh time.Duration, b *body) {
	at := b.rangeOf("source")
	if b.has("file") {
		l.bag.Error(diag.BadValue, at, "A list has a file or a source, not both.", "")
	}
	if !isDirectory(v.Source) {
		l.bag.Error(diag.BadValue, at, "\""+v.Source+"\" is no source of a list.", "Write source = \"ldaps://dc1.example.com/dc=example,dc=com?mail\".")
	} else {
		l.directory(v.Source, at, false)
	}
	if v.Refresh = refresh; refresh == 0 {
		v.Refresh = defaultRefresh
	}
	v.set = lists.Awaited(typ)
	l.env.Lists[v.Name] = v.set
	l.set.Lists = append(l.set.Lists, *v)
}

// manyMistakes is how many of a file are told one by one.
const manyMistakes = 20

// entries reads the file of a list; its mistakes stand where they are in it.
func (l *loader) entries(v *List, b *body) []string {
	text := []byte(l.readText(b.text("file", ""), b.rangeOf("file")))
	l.bag.AddText(v.File, text, "list \""+v.Name+"\"")
	entries, errs := v.table.Parse(text)
	errs = append(errs, lists.Wrong(v.table.Type, entries)...)
	sort.SliceStable(errs, func(i, j int) bool { return lineOf(errs[i]) < lineOf(errs[j]) })
	for i, err := range errs {
		if i == manyMistakes {
			l.bag.Error(diag.BadValue, b.rangeOf("file"), fmt.Sprintf("%s has %d mistakes; the first %d of them are told.", v.File, len(errs), i),
				fmt.Sprintf("Does the file have what type = %s and format = %s say?", v.table.Type, v.table.Format))
			break
		}
		l.bag.Error(diag.BadValue, l.bag.Line(v.File, lineOf(err)), errors.Unwrap(err).Error()+".", "")
	}
	if errs != nil {
		return nil
	}
	l.lintTable(v, entries, b)
	return texts(entries)
}

// lineOf is the line of a list file that a mistake is in.
func lineOf(err error) int {
	var line *lists.LineError
	errors.As(err, &line)
	return line.Line
}

// texts are the entries as items of a list.
func texts(entries []lists.Entry) []string {
	out := make([]string, 0, len(entries))
	for _, e := range entries {
		out = append(out, e.Text)
	}
	return out
}

func (l *loader) list(name string, typ lists.Type, items []string, b *body) *lists.List {
	set, errs := lists.New(typ, items)
	l.env.Lists[name] = set
	for _, err := range errs {
		l.bag.Error(diag.BadValue, b.rangeOf("items"), "list "+name+": "+err.Error()+".", "")
	}
	l.lintSlashes(typ, b)
	if x, ok := l.named["list"][name].Body.Attributes["items"]; ok && len(errs) == 0 {
		if t, ok := x.Expr.(*hclsyntax.TupleConsExpr); ok && len(t.Exprs) == 0 && !b.has("file") {
			l.bag.Warn(diag.EmptyList, x.Expr.Range(), "list."+name+" has no entries.", "Give it some, or take out what asks it.")
		}
	}
	return set
}

// List is a list that changes without a reload: its file is read again when it
// changes, its source from time to time. Rules and recipients see the new
// contents at once; what a filter was made of (the words of a content filter)
// stays until a reload.
type List struct {
	Name    string
	At      Where
	File    string        // "" where there is a source
	Source  string        // an URL of a directory
	Refresh time.Duration // of a source

	table lists.Table // how its file is read
	fixed []string    // its items
	set   *lists.List
}

// Known tells whether it was ever read.
func (l *List) Known() bool { return l.set.Known() }

// Len is the number of its entries.
func (l *List) Len() int { return l.set.Len() }

// Read takes the new contents of the file. With a mistake in them the list stays
// as it was, and the error names file and line.
func (l *List) Read(text []byte) error {
	entries, errs := l.table.Parse(text)
	if errs = append(errs, lists.Wrong(l.table.Type, entries)...); len(errs) > 0 {
		return told(l.File, errs)
	}
	return l.fill(texts(entries))
}

// Fill takes the new contents of a source. Entries that are none are left out and
// counted: one odd entry of a directory is no reason to have an old list.
func (l *List) Fill(entries []string) (odd int, err error) {
	var items []string
	for _, e := range entries {
		if _, bad := lists.New(l.set.Type, []string{e}); len(bad) > 0 {
			odd++
			continue
		}
		items = append(items, e)
	}
	return odd, l.fill(items)
}

// fill puts entries in place. A list does not become empty by itself: a file that
// is just being written, or a directory that shows nothing any more, would have
// every recipient refused. A reload takes an empty file.
func (l *List) fill(items []string) error {
	all := append(l.fixed[:len(l.fixed):len(l.fixed)], items...)
	if len(items) == 0 && l.set.Len() > len(l.fixed) {
		return fmt.Errorf("list %s has had %d entries and would have none", l.Name, l.set.Len())
	}
	if errs := l.set.Replace(all); len(errs) > 0 {
		return told("list "+l.Name, errs)
	}
	return nil
}

// told is the first of many mistakes.
func told(where string, errs []error) error {
	text := errs[0].Error()
	if n := len(errs) - 1; n > 0 {
		text += fmt.Sprintf(" (and %d more)", n)
	}
	return fmt.Errorf("%s, %s", where, strings.TrimSuffix(text, "."))
}
