package expr

import (
	"net/netip"
	"sort"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/pipeline"
)

// Fact is something that a rule may ask for.
type Fact struct {
	Path      string // "spf.result", "dnsbl.zen.listed"
	Type      Type
	Words     []string       // the closed set of a String, nil for an open one
	Doc       string         // one line for the reference
	From      pipeline.Stage // the first stage that knows it
	Deliver   bool           // stage Deliver knows it, too
	PerRcpt   bool           // differs between the recipients of a message
	Slot      int            // of the filter that finds it; -1 for the relay's own
	Forgeable bool           // a claim of the client that nothing has confirmed
	name      string         // in the finding
	value     Value
}

// Facts are the facts of a configuration.
type Facts struct {
	byPath    map[string]*Fact
	roots     map[string]bool
	instances map[string][]string // of named kinds: the names declared
	unknown   map[string]bool     // kinds that a block names and this build has not
	withheld  map[string]string   // facts that need a setting that is not written, and what to write
}

// NewFacts begins with the relay's own facts.
func NewFacts() *Facts {
	fs := &Facts{byPath: map[string]*Fact{}, roots: map[string]bool{}, instances: map[string][]string{}, unknown: map[string]bool{}, withheld: map[string]string{}}
	for _, f := range coreFacts() {
		fs.add(f)
	}
	return fs
}

func (fs *Facts) add(f *Fact) {
	fs.byPath[f.Path] = f
	root, _, _ := strings.Cut(f.Path, ".")
	fs.roots[root] = true
}

// All are the facts by path.
func (fs *Facts) All() []*Fact {
	all := make([]*Fact, 0, len(fs.byPath))
	for _, f := range fs.byPath {
		all = append(all, f)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Path < all[j].Path })
	return all
}

// Named declares that kind is configured by name, so that facts of one that is
// not declared can be told from facts that do not exist.
func (fs *Facts) Named(kind string) {
	if _, ok := fs.instances[kind]; !ok {
		fs.instances[kind] = nil
	}
	fs.roots[kind] = true
}

// Unknown says that a kind was reported as unknown, so that its facts need not be.
func (fs *Facts) Unknown(kind string) { fs.unknown[kind] = true }

// Withhold says that a fact needs a setting that is not written; fix says what to
// write.
func (fs *Facts) Withhold(path, fix string) { fs.withheld[path] = fix }

// AddFilter declares the facts of the filter in a slot under prefix: "spf",
// "msg", "dnsbl.zen".
func (fs *Facts) AddFilter(prefix string, schema pipeline.Schema, from pipeline.Stage, perRcpt bool, slot int) {
	if kind, name, ok := strings.Cut(prefix, "."); ok {
		fs.instances[kind] = append(fs.instances[kind], name)
	}
	for _, s := range schema {
		f := &Fact{Path: prefix + "." + s.Name, Type: Type(s.Type), Words: s.Words, Doc: s.Doc, From: from, PerRcpt: perRcpt, Slot: slot, name: s.Name}
		f.value = filterValue(f, s.Name, slot)
		f.value.fact = f
		fs.add(f)
	}
}

// Later moves the facts of a slot to a later stage, and to a narrower scope.
func (fs *Facts) Later(slot int, from pipeline.Stage, perRcpt bool) {
	for _, f := range fs.byPath {
		if f.Slot == slot {
			f.From = max(f.From, from)
			f.PerRcpt = f.PerRcpt || perRcpt
		}
	}
}

// filterValue reads a fact of a finding. One that the finding leaves out has the
// zero value of its type.
func filterValue(f *Fact, name string, slot int) Value {
	v := Value{Type: f.Type}
	switch f.Type {
	case Bool:
		v.Bool = func(r *Run) Tri {
			b, known := ask[bool](r, slot, name)
			if !known {
				return Unknown
			}
			return truth(b)
		}
	case String:
		v.Str = func(r *Run) (string, bool) { return ask[string](r, slot, name) }
	case Number:
		v.Num = func(r *Run) (float64, bool) { return ask[float64](r, slot, name) }
	case Strings:
		v.Strs = func(r *Run) ([]string, bool) { return ask[[]string](r, slot, name) }
	case IP:
		v.IP = func(r *Run) (netip.Addr, bool) { return ask[netip.Addr](r, slot, name) }
	case Duration:
		v.Dur = func(r *Run) (time.Duration, bool) { return ask[time.Duration](r, slot, name) }
	case Time:
		v.Time = func(r *Run) (time.Time, bool) { return ask[time.Time](r, slot, name) }
	}
	return v
}

func ask[T any](r *Run, slot int, name string) (v T, known bool) {
	f := r.find(slot)
	v, ok := f.facts[name].(T)
	if f.unknown {
		r.mark(slot)
	}
	if !ok && r.Tx.Past != nil && f.facts[name] == (pipeline.Missing{}) {
		r.miss(r.Instances[slot].Name + "." + name)
		return v, false
	}
	return v, !f.unknown
}

// peek is the word of a fact even where its filter could not tell, without
// holding that against the filter: for comparisons that ask for it by name.
func (f *Fact) peek(r *Run) (word string, known bool) {
	if f.Slot < 0 {
		return f.value.Str(r)
	}
	fd := r.find(f.Slot)
	if fd.missing {
		r.miss(r.Instances[f.Slot].Name)
	}
	if fd.peeked != f {
		fd.peeked = f
		fd.word, _ = fd.facts[f.name].(string)
	}
	return fd.word, !fd.unknown
}
