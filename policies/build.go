package policies

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/policies/internal/rules"
	"github.com/forepost/forepost/relay/pipeline"
)

// Policies are the plans of a configuration with their filters. They are
// immutable and safe for concurrent use.
type Policies struct {
	// Set is all filters by name.
	Set   *pipeline.Set
	plans map[string]*rules.Plan
	built []*pipeline.Instance
	clock func() time.Time
}

// Plan finds the plan of a policy by name.
func (p *Policies) Plan(name string) (pipeline.Plan, bool) {
	plan, ok := p.plans[name]
	if !ok {
		return nil, false
	}
	return plan, true
}

// Class is the class of the rule with a path, spam for thresholds; ok is false
// where no policy has such a rule.
func (p *Policies) Class(path string) (class string, ok bool) {
	name, rest, _ := strings.Cut(path, ".")
	plan := p.plans[name]
	if plan == nil {
		return "", false
	}
	if strings.HasPrefix(rest, "thresholds.") {
		return "spam", true
	}
	for at := pipeline.Connect; at <= pipeline.Deliver; at++ {
		for _, r := range plan.Rules(at) {
			if r.Path == path {
				return r.Class, true
			}
		}
	}
	return "", false
}

// Build makes the filters and the plans. d.Name and, where it is empty,
// d.Hostname are filled in; d.Now must be set. The errors, joined, name the blocks
// whose filters cannot be made; Made gives them as diagnostics.
func (c *Config) Build(d filters.Deps) (*Policies, error) {
	if d.Hostname == "" {
		d.Hostname = c.Settings.Hostname
	}
	l := c.l
	built := make([]*pipeline.Instance, len(l.instances))
	wanted := l.wanted()
	var errs []error
	for slot, in := range l.instances {
		if !wanted[slot] {
			continue
		}
		made, err := in.build(d, built, l)
		if err != nil {
			errs = append(errs, err)
		}
		built[slot] = made
	}
	if errs != nil {
		return nil, errors.Join(errs...)
	}
	p := &Policies{Set: pipeline.NewSet(notNil(built)...), plans: map[string]*rules.Plan{}, built: built, clock: l.o.Now}
	for name, pol := range l.policies {
		p.plans[name] = l.plan(pol, built, p.Set)
	}
	return p, nil
}

// wanted are the slots of the filters that a block configures or a rule asks.
func (l *loader) wanted() map[int]bool {
	slots := map[int]bool{}
	for _, in := range l.instances {
		if in.block != nil || l.o.Rehearsal {
			slots[in.slot] = true
		}
	}
	for _, p := range l.policies {
		for s := range p.slots {
			slots[s] = true
		}
	}
	return l.closure(slots)
}

func (in *instance) build(d filters.Deps, built []*pipeline.Instance, l *loader) (*pipeline.Instance, error) {
	d.Name = in.name
	run := func(ctx context.Context, tx *pipeline.Transaction) *expr.Run {
		r := &expr.Run{}
		r.Reset(ctx, tx, built, l.o.Now)
		return r
	}
	// Filters that a key asks for keep to their own timeouts.
	for _, k := range in.keys {
		k.run = func(tx *pipeline.Transaction) *expr.Run { return run(context.Background(), tx) }
	}
	f, err := in.kind.Build(in.settings, d)
	if l.o.Rehearsal && errors.Is(err, fs.ErrNotExist) {
		f, err = absent{err}, nil
	}
	if err != nil {
		if in.at.Filename != "" {
			return nil, fmt.Errorf("%s:%d: %s: %w", in.at.Filename, in.at.Start.Line, in.name, err)
		}
		return nil, fmt.Errorf("filter %s: %w", in.name, err)
	}
	if in.when != nil {
		f = &gate{f, in.when, run}
	}
	return &pipeline.Instance{Name: in.name, Kind: in.kind.Name, Filter: f, From: in.from, Scope: in.scope,
		Needs: in.kind.Needs, Slow: in.kind.Slow, Timeout: in.timeout, OnError: in.onError, Conf: l.conf(in)}, nil
}

// plan makes a policy's plan.
func (l *loader) plan(p *policy, built []*pipeline.Instance, set *pipeline.Set) *rules.Plan {
	c := rules.Config{Stages: p.stages, Thresholds: p.thresholds, Partial: p.partial, Quarantine: l.fallback,
		Domains: map[string]rules.Domain{}, Instances: built, Set: set, Clock: l.o.Now}
	c.Info = pipeline.PlanInfo{Name: p.name, Hash: l.hash(p.name), Loaded: l.o.Now(), Headers: l.headersUsed()}
	for _, d := range l.set.Domains {
		c.Domains[d.Name] = rules.Domain{Thresholds: d.thresholds, Quarantine: d.Quarantine}
	}
	for s := range l.closure(p.slots) {
		if in := l.instances[s]; in.kind.Slow && !in.inPlace {
			c.Start[in.from] = append(c.Start[in.from], s)
		}
	}
	return rules.New(c)
}

// headersUsed are the header fields that any rule asks for.
func (l *loader) headersUsed() []string {
	names := keysOf(l.env.HeadersUsed)
	sort.Strings(names)
	return names
}

// conf stands for the settings of a filter: its block, as it is written.
func (l *loader) conf(in *instance) string {
	if in.block == nil {
		return ""
	}
	sum := sha256.Sum256([]byte(l.source(in.block)))
	return hex.EncodeToString(sum[:4])
}

// source is a block as it is written.
func (l *loader) source(b *hclsyntax.Block) string {
	src, at, end := l.env.Sources[b.TypeRange.Filename], b.TypeRange.Start.Byte, b.CloseBraceRange.End.Byte
	if end > len(src) || at > end {
		return ""
	}
	return string(src[at:end])
}

// hash names a policy as it was written: all files count, since lists, filters
// and locals in any of them may change what it does.
func (l *loader) hash(name string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\n", name)
	for _, f := range l.files {
		fmt.Fprintf(h, "%d\n", len(l.env.Sources[f]))
		h.Write(l.env.Sources[f])
	}
	if name == "recommended" {
		text, _ := Stock(name)
		h.Write([]byte(text))
	}
	return hex.EncodeToString(h.Sum(nil))
}

func notNil(ins []*pipeline.Instance) []*pipeline.Instance {
	var out []*pipeline.Instance
	for _, in := range ins {
		if in != nil {
			out = append(out, in)
		}
	}
	return out
}

// absent is a filter of a rehearsal whose file lies on another machine: it cannot
// tell.
type absent struct{ why error }

// Inspect says what is not there.
func (a absent) Inspect(context.Context, *pipeline.Transaction) (pipeline.Finding, error) {
	return pipeline.Finding{}, a.why
}

// gate runs a filter only where its `when` holds; elsewhere its facts have the
// zero values of their types.
type gate struct {
	inner pipeline.Filter
	when  *expr.Value
	run   func(context.Context, *pipeline.Transaction) *expr.Run
}

// Inspect asks `when` first. Where that could not be found out, the filter runs:
// it is the rule's part to doubt.
func (g *gate) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	if g.when.Bool(g.run(ctx, tx)) == expr.No {
		return pipeline.Finding{Reason: "not asked: its when does not hold"}, nil
	}
	return g.inner.Inspect(ctx, tx)
}

// Settle passes on what the filter charged.
func (g *gate) Settle(ctx context.Context, f pipeline.Finding, taken bool) {
	if s, ok := g.inner.(pipeline.Settler); ok {
		s.Settle(ctx, f, taken)
	}
}
