package policies

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/hashicorp/hcl/v2"

	"github.com/forepost/forepost/policies/internal/lists"
)

// diffAround compares what rules stand on and what stands around them: which
// policy a listener has, what a domain says in place of its policy, values with a
// name, lists and filters.
func diffAround(a, b *loader) (ds []Difference) {
	ds = append(ds, diffTexts("listener", listenersOf(a), listenersOf(b))...)
	was, now := domainsOf(a), domainsOf(b)
	whole := func(map[string]string) string { return "" }
	ds = append(ds, diffTexts("domain", mapped(was, whole), mapped(now, whole))...)
	for _, name := range sortedKeysOf(was) {
		if now[name] != nil {
			ds = append(ds, diffTexts("domain", under(name, was[name]), under(name, now[name]))...)
		}
	}
	ds = append(ds, diffTexts("variable", variablesOf(a), variablesOf(b))...)
	ds = append(ds, diffTexts("local", localsOf(a), localsOf(b))...)
	ds = append(ds, diffLists(a, b)...)
	return append(ds, diffTexts("filter", blocksOf(a), blocksOf(b))...)
}

// diffTexts compares what has a name and a text.
func diffTexts(what string, was, now map[string]string) (ds []Difference) {
	for _, n := range slices.Compact(slices.Sorted(slices.Values(append(keysOf(was), keysOf(now)...)))) {
		before, had := was[n]
		after, has := now[n]
		d := Difference{What: what, Name: n, Was: before, Now: after, Change: "changed"}
		switch {
		case !had:
			d.Change = "added"
		case !has:
			d.Change = "removed"
		case before == after:
			continue
		}
		ds = append(ds, d)
	}
	return ds
}

func listenersOf(l *loader) map[string]string {
	m := map[string]string{}
	for _, ls := range l.set.Listeners {
		m[ls.Name] = "policy." + ls.Policy
	}
	return m
}

// domainsOf is what domains say about mail to them, by name.
func domainsOf(l *loader) map[string]map[string]string {
	m := map[string]map[string]string{}
	for _, d := range l.set.Domains {
		r := d.Recipients.Mode
		if d.Recipients.Name != "" {
			r = "list." + d.Recipients.Name
		}
		m[d.Name] = map[string]string{"route": "route." + d.Route, "recipients": r, "quarantine": orElse(d.Quarantine, "none"),
			"thresholds.tag": pointsText(d.thresholds.Tag), "thresholds.quarantine": pointsText(d.thresholds.Quarantine), "thresholds.reject": pointsText(d.thresholds.Reject)}
	}
	return m
}

func under(name string, m map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		out[name+"."+k] = v
	}
	return out
}

func mapped[T, U any](m map[string]T, f func(T) U) map[string]U {
	out := map[string]U{}
	for k, v := range m {
		out[k] = f(v)
	}
	return out
}

// variablesOf are the values of variables; of one that is sensitive nothing is
// told.
func variablesOf(l *loader) map[string]string {
	m := map[string]string{}
	for name, v := range l.env.Vars {
		m[name] = v.Show(nil)
	}
	return m
}

// localsOf is what locals are, as written.
func localsOf(l *loader) map[string]string {
	m := map[string]string{}
	for name, x := range l.env.Locals {
		m[name] = l.written(x.Range())
	}
	return m
}

// written is what stands at a place, on one line.
func (l *loader) written(at hcl.Range) string {
	src := l.env.Sources[at.Filename]
	if at.End.Byte > len(src) {
		return ""
	}
	return strings.Join(strings.Fields(string(src[at.Start.Byte:at.End.Byte])), " ")
}

// diffLists compares lists by their entries, those of a directory by their
// blocks.
func diffLists(a, b *loader) (ds []Difference) {
	read := func(l *lists.List) string { return "" }
	ds = diffTexts("list", mapped(a.env.Lists, read), mapped(b.env.Lists, read))
	for _, name := range sortedKeysOf(a.env.Lists) {
		was, now := a.env.Lists[name], b.env.Lists[name]
		if was == nil || now == nil {
			continue
		}
		d := Difference{What: "list", Name: name, Change: "changed"}
		if !was.Known() || !now.Known() {
			d.Was, d.Now = a.source(a.named["list"][name]), b.source(b.named["list"][name])
		} else if gone, come := without(was, now), without(now, was); len(gone)+len(come) > 0 {
			if d.Was = fmt.Sprintf("%d entries", was.Len()); was.Len() == 1 {
				d.Was = "1 entry"
			}
			d.Now = fmt.Sprintf("%d", now.Len()) + few(" without ", gone) + few(" with ", come)
		}
		if d.Was != d.Now {
			ds = append(ds, d)
		}
	}
	return ds
}

func sortedKeysOf[T any](m map[string]T) []string {
	ks := keysOf(m)
	sort.Strings(ks)
	return ks
}

// without are the entries of a list that another has not.
func without(l, other *lists.List) (out []string) {
	has := map[string]bool{}
	for _, e := range other.Items() {
		has[e] = true
	}
	for _, e := range l.Items() {
		if !has[e] {
			out = append(out, e)
		}
	}
	return out
}

// few are the first of many entries, "" for none.
func few(what string, entries []string) string {
	if len(entries) <= 3 {
		return orNothing(what, strings.Join(entries, ", "))
	}
	return what + strings.Join(entries[:2], ", ") + fmt.Sprintf(" and %d more", len(entries)-2)
}

func orNothing(what, s string) string {
	if s == "" {
		return ""
	}
	return what + s
}
