package test

import (
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/trail"
)

// facts are what filters found, as objects by their root.
func (w *writer) facts() map[string]map[string]string {
	groups := map[string]map[string]string{}
	for _, f := range w.rec.Facts {
		kind, name, named := strings.Cut(f.Filter, ".")
		k := w.kind(kind)
		if k == nil || k.Named != named {
			continue // a limit or greylist in place, or a filter of another version
		}
		values := w.values(k, f)
		if len(values) == 0 {
			continue
		}
		root := k.Name
		if k.Root != "" {
			root = k.Root
		}
		if groups[root] == nil {
			groups[root] = map[string]string{}
		}
		if named {
			groups[root][name] = object(values)
			continue
		}
		merge2(groups[root], values)
	}
	return groups
}

func (w *writer) kind(name string) *filters.Kind {
	for i := range w.o.Load.Kinds {
		if w.o.Load.Kinds[i].Name == name {
			return &w.o.Load.Kinds[i]
		}
	}
	return nil
}

// maxStated is how long a text may be that a case states: more is content.
const maxStated = 500

// values are the facts of a finding that are not neutral, and why there is none.
func (w *writer) values(k *filters.Kind, f trail.Fact) map[string]string {
	out := map[string]string{}
	for _, spec := range k.Facts {
		write := w.value
		if spec.Name == "names" && k.Root == "msg" { // of files, which have dots as well
			write = w.fileNames
		}
		if text, ok := write(f.Values[spec.Name]); ok || k.Offline && text != "" {
			out[spec.Name] = text
		}
	}
	if f.Error != "" && k.Root == "" {
		out["error"] = quote(w.ren.text(f.Error))
	}
	return out
}

// value writes a value; ok is false for a neutral one.
func (w *writer) value(v any) (text string, ok bool) {
	switch v := v.(type) {
	case bool:
		return strconv.FormatBool(v), v
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), v != 0
	case string:
		if len(v) > maxStated {
			return "", false
		}
		return quote(w.replaced(v)), v != "" && v != "none"
	case []any, []string:
		ss := textsOf(v)
		for i := range ss {
			ss[i] = w.replaced(ss[i])
		}
		return quoted(ss), len(ss) > 0
	}
	return "", false
}

// fileNames are texts in which addresses and domains seen elsewhere are replaced;
// the extension stays.
func (w *writer) fileNames(v any) (text string, ok bool) {
	if v == nil {
		return "", false
	}
	ss := textsOf(v)
	for i := range ss {
		extension := filepath.Ext(ss[i])
		ss[i] = w.ren.text(strings.TrimSuffix(ss[i], extension)) + extension
	}
	return quoted(ss), len(ss) > 0
}

// textsOf is a list of a record, which has been JSON.
func textsOf(v any) (ss []string) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			s, _ := x.(string)
			ss = append(ss, s)
		}
	case []string:
		ss = append(ss, v...)
	}
	return ss
}

// replaced is a text of a finding: a domain alone, or words.
func (w *writer) replaced(s string) string {
	if isDomain(s) {
		return w.ren.domain(s)
	}
	return w.ren.text(s)
}

func merge2(into, from map[string]string) {
	for k, v := range from {
		into[k] = v
	}
}

func object(m map[string]string) string {
	ks := sortedKeys(m)
	sort.SliceStable(ks, func(i, j int) bool { return ks[i] == "ip" && ks[j] != "ip" })
	var parts []string
	for _, k := range ks {
		name := k
		if !hclsyntax.ValidIdentifier(k) {
			name = quote(k)
		}
		parts = append(parts, name+" = "+m[k])
	}
	return "{ " + strings.Join(parts, ", ") + " }"
}

func quoted(ss []string) string {
	out := make([]string, len(ss))
	for i, s := range ss {
		out[i] = quote(s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// quote writes a text as HCL has it.
func quote(s string) string { return policies.Quote(s) }
