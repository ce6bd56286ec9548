package policies

import (
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/relay/pipeline"
)

// instance is a filter of the configuration before it is built.
type instance struct {
	name     string // "spf", "dnsbl.zen", "limit:inbound.rcpt.limit.per-client"
	slot     int
	kind     filters.Kind
	at       hcl.Range
	block    *hclsyntax.Block // nil where none is written
	settings any
	when     *expr.Value // nil: always
	timeout  time.Duration
	onError  pipeline.OnError
	from     pipeline.Stage
	scope    pipeline.Scope
	inPlace  bool         // of a verb: asked when its rule is reached, not before
	asks     map[int]bool // slots that its `when` and its keys ask
	keys     []*lateKey   // settings that are expressions
}

// lateKey is a filters.Key that learns at Build which filters there are.
type lateKey struct {
	run func(tx *pipeline.Transaction) *expr.Run
}

// filters declares all filters and their facts, and then reads the blocks, which
// may ask for facts.
func (l *loader) filters() {
	for _, k := range l.o.Kinds {
		if k.Named {
			l.env.Facts.Named(k.Name)
			continue
		}
		l.declare(k, k.Name, k.Name)
	}
	for _, blk := range l.blocks["filter"] {
		l.declareBlock(blk)
	}
	for _, in := range l.instances {
		l.withhold(in)
	}
	for _, in := range l.instances {
		l.configure(in)
	}
	l.settle()
	l.findCircles()
}

// declare gives a filter a slot and its facts their names.
func (l *loader) declare(k filters.Kind, name, prefix string) *instance {
	in := &instance{name: name, slot: len(l.instances), kind: k, from: k.From, scope: k.Scope, asks: map[int]bool{}}
	l.instances = append(l.instances, in)
	l.slots[name] = in.slot
	if !k.Named && k.Root != "" {
		prefix = k.Root
	}
	if prefix != "" {
		l.env.Facts.AddFilter(prefix, k.Facts, k.From, k.Scope == pipeline.PerRecipient, in.slot)
	}
	return in
}

func (l *loader) declareBlock(blk *hclsyntax.Block) {
	if len(blk.Labels) == 0 {
		l.label(blk, 2, "filter \"dnsbl\" \"zen\"")
		return
	}
	k, ok := l.kinds[blk.Labels[0]]
	if !ok {
		l.env.Facts.Unknown(blk.Labels[0])
		l.bag.Error(diag.UnknownKind, blk.LabelRanges[0], "There is no filter of the kind \""+blk.Labels[0]+"\".", diag.DidYouMean(blk.Labels[0], keysOf(l.kinds)))
		return
	}
	n, like := 1, "filter \""+k.Name+"\""
	if k.Named {
		n, like = 2, like+" \"name\""
	}
	if !l.label(blk, n, like) {
		return
	}
	if !k.Named {
		in := l.instances[l.slots[k.Name]]
		if in.block != nil {
			return // said by index
		}
		in.block, in.at = blk, blk.DefRange()
		return
	}
	name := k.Name + "." + blk.Labels[1]
	if _, ok := l.slots[name]; !ok {
		in := l.declare(k, name, name)
		in.block, in.at = blk, blk.DefRange()
	}
}

// withhold takes away the facts whose settings are not written. A block with none
// of them finds nothing.
func (l *loader) withhold(in *instance) {
	root, written := in.name, false
	if in.kind.Root != "" {
		root = in.kind.Root
	}
	var lines []string
	for _, fact := range sortedKeysOf(in.kind.FactNeeds) {
		line := in.kind.FactNeeds[fact]
		lines = append(lines, line)
		setting, _, _ := strings.Cut(line, " ")
		if in.block != nil && in.block.Body.Attributes[setting] != nil {
			written = true
			continue
		}
		l.env.Facts.Withhold(root+"."+fact, "Write "+line+" into the block filter \""+in.kind.Name+"\" {}, with the name of your file.")
	}
	if in.block != nil && lines != nil && !written {
		l.bag.Error(diag.MissingAttribute, in.at, "Filter \""+in.name+"\" is told nothing that it could find anything in.", "Write "+strings.Join(lines, ", or ")+".")
	}
}

// configure reads a filter's block, or takes the kind's defaults.
func (l *loader) configure(in *instance) {
	if in.kind.Settings != nil {
		in.settings = in.kind.Settings()
	}
	if in.block == nil {
		return
	}
	b := l.body(in.block)
	if x, ok := b.attr("when"); ok {
		s := l.env.Anywhere()
		in.when = s.Cond(x)
		in.dependOn(&s.Refs)
	}
	in.timeout = b.duration("timeout", 0)
	in.onError = l.onError(b, in.name)
	l.decode(b, in, l.env.Anywhere)
	b.done()
}

// onError reads what becomes of a message that a filter could not judge.
func (l *loader) onError(b *body, name string) pipeline.OnError {
	e := onErrors[b.word("on_error", "ignore", "ignore", "defer", "quarantine")]
	if e == pipeline.ErrorQuarantines {
		l.needQuarantine(b.rangeOf("on_error"), "on_error = quarantine of "+name)
	}
	return e
}

var onErrors = map[string]pipeline.OnError{"ignore": pipeline.ErrorIgnored, "defer": pipeline.ErrorDefers, "quarantine": pipeline.ErrorQuarantines}

// dependOn moves a filter to where what it asks for is known.
func (in *instance) dependOn(r *expr.Refs) {
	for s := range r.Slots {
		in.asks[s] = true
	}
	in.from = max(in.from, r.From)
	if in.from >= pipeline.Mail {
		in.scope = max(in.scope, pipeline.PerMessage)
	}
	if r.PerRcpt {
		in.scope = pipeline.PerRecipient
	}
}

// settle carries stages and scopes through filters that ask each other, until
// nothing changes: each round moves at least one filter later.
func (l *loader) settle() {
	for range len(l.instances) + 1 {
		changed := false
		for _, in := range l.instances {
			for s := range l.needs(in) {
				o := l.instances[s]
				if o.from > in.from {
					in.from, changed = o.from, true
				}
				if o.scope > in.scope {
					in.scope, changed = o.scope, true
				}
			}
		}
		if !changed {
			break
		}
	}
	for _, in := range l.instances {
		l.env.Facts.Later(in.slot, in.from, in.scope == pipeline.PerRecipient)
	}
}

// needs are the slots that a filter asks: by its kind, its `when` and its keys.
func (l *loader) needs(in *instance) map[int]bool {
	all := map[int]bool{}
	for s := range in.asks {
		all[s] = true
	}
	for _, n := range in.kind.Needs {
		if s, ok := l.slots[n]; ok {
			all[s] = true
		}
	}
	return all
}

// findCircles reports filters that wait for each other.
func (l *loader) findCircles() {
	state := make([]int, len(l.instances)) // 1: being visited, 2: done
	var visit func(s int)
	visit = func(s int) {
		state[s] = 1
		for t := range l.needs(l.instances[s]) {
			if state[t] == 1 && l.instances[s].block != nil {
				l.bag.Error(diag.Circle, l.instances[s].at, l.instances[s].name+" waits for "+l.instances[t].name+", which waits for it.", "Take a fact out of `when` or of a key.")
			} else if state[t] == 0 {
				visit(t)
			}
		}
		state[s] = 2
	}
	for s := range l.instances {
		if state[s] == 0 {
			visit(s)
		}
	}
}

// closure closes a set of slots over what their filters need.
func (l *loader) closure(slots map[int]bool) map[int]bool {
	all := map[int]bool{}
	var add func(s int)
	add = func(s int) {
		if all[s] {
			return
		}
		all[s] = true
		for t := range l.needs(l.instances[s]) {
			add(t)
		}
	}
	for s := range slots {
		add(s)
	}
	return all
}
