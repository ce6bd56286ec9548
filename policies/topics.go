package policies

import (
	"fmt"
	"reflect"
	"sort"
	"strings"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/relay/pipeline"
)

// Topic is a part of the reference, for help and manual pages.
type Topic struct {
	Name, Doc string
	Entries   []Entry
}

// Entry is something that is described: a name or a signature, a line about it,
// and lines with more.
type Entry struct {
	Name, Doc string
	More      []string
}

// Topics are the parts of the reference, made from the tables of this build.
func Topics(kinds []filters.Kind) []Topic {
	return []Topic{
		{"blocks", "what stands in a file", blockEntries()},
		{"phases", "when rules run", phaseEntries()},
		{"verbs", "what a rule can do; each has " + strings.Join(commonAttributes, ", "), verbEntries()},
		{"facts", "what a rule can ask", factEntries(kinds)},
		{"functions", "what can be done with facts", functionEntries()},
		{"filters", "what finds facts", filterEntries(kinds)},
		{"diagnostics", "what can be wrong; forepost policy why CODE tells more", codeEntries()},
	}
}

func blockEntries() (es []Entry) {
	names := keysOf(blockDocs)
	sort.Strings(names)
	for _, n := range names {
		e := Entry{Name: n, Doc: blockDocs[n].doc}
		if like := topLevel[n].like; like != "" {
			e.Name = like
		}
		attrs := keysOf(blockDocs[n].attrs)
		sort.Strings(attrs)
		for _, a := range attrs {
			e.More = append(e.More, a+": "+blockDocs[n].attrs[a])
		}
		es = append(es, e)
	}
	return es
}

func phaseEntries() (es []Entry) {
	docs := []string{"the client is there", "it has said its name", "MAIL: the sender is known", "RCPT: for each recipient", "the message has come: for each recipient", "before each attempt to deliver"}
	for i, name := range stageNames {
		e := Entry{Name: name, Doc: docs[i]}
		var can []string
		for v, verb := range verbs {
			if verb.at(pipeline.Stage(i)) {
				can = append(can, v)
			}
		}
		sort.Strings(can)
		e.More = []string{"verbs: " + strings.Join(append(can, "use"), ", ")}
		es = append(es, e)
	}
	return es
}

func verbEntries() (es []Entry) {
	names := keysOf(verbs)
	sort.Strings(names)
	for _, n := range names {
		e := Entry{Name: n, Doc: verbs[n].doc, More: []string{"phases: " + verbs[n].phaseNames()}}
		if verbs[n].attrs != "" {
			e.More = append(e.More, "attributes: "+verbs[n].attrs)
		}
		es = append(es, e)
	}
	return append(es, Entry{"use", "runs the rules of the block rules \"n\" here", []string{"phases: all", "attributes: when, mode"}})
}

func factEntries(kinds []filters.Kind) (es []Entry) {
	facts := expr.NewFacts()
	for _, k := range kinds {
		facts.AddFilter(prefixOf(k), k.Facts, k.From, false, 0)
	}
	for _, f := range facts.All() {
		doc := f.Doc
		if f.Words != nil {
			doc += " (" + strings.Join(f.Words, ", ") + ")"
		}
		from := "from " + f.From.String() + " on"
		if f.Deliver {
			from += ", and in deliver"
		}
		es = append(es, Entry{f.Path, doc, []string{f.Type.String() + ", " + from}})
	}
	return es
}

func prefixOf(k filters.Kind) string {
	switch {
	case k.Root != "":
		return k.Root
	case k.Named:
		return k.Name + ".NAME"
	}
	return k.Name
}

func functionEntries() (es []Entry) {
	for _, f := range expr.Functions() {
		e := Entry{Name: f.Signature(), Doc: f.Doc}
		for _, x := range expr.Examples(f.Name) {
			e.More = append(e.More, x.Call+" is "+x.Gives)
		}
		es = append(es, e)
	}
	return es
}

func filterEntries(kinds []filters.Kind) (es []Entry) {
	for _, k := range kinds {
		e := Entry{Name: fmt.Sprintf("filter %q", k.Name), Doc: k.Doc}
		if k.Named {
			e.Name += " \"name\""
		}
		var facts []string
		for _, f := range k.Facts {
			facts = append(facts, prefixOf(k)+"."+f.Name)
		}
		e.More = append(e.More, "facts: "+strings.Join(facts, ", "))
		if k.Settings != nil {
			e.More = append(e.More, "settings: "+strings.Join(settingsOf(k.Settings()), ", "))
		}
		es = append(es, e)
	}
	return es
}

// settingsOf are the names of a filter's own settings.
func settingsOf(settings any) (names []string) {
	t := reflect.TypeOf(settings).Elem()
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("hcl"), ",")
		names = append(names, name)
	}
	return names
}

func codeEntries() (es []Entry) {
	for _, c := range diag.Codes() {
		p, _ := diag.Explain(c)
		es = append(es, Entry{string(c) + " " + p.Summary, p.Why, nil})
	}
	return es
}

// Text is a topic for a terminal.
func (t Topic) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", t.Name, t.Doc)
	for _, e := range t.Entries {
		fmt.Fprintf(&b, "\n%s\n    %s\n", e.Name, e.Doc)
		for _, m := range e.More {
			fmt.Fprintf(&b, "      %s\n", m)
		}
	}
	return b.String()
}
