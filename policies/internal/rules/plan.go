package rules

import (
	"context"
	"sync"
	"time"

	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/relay/pipeline"
)

// Domain is what a domain block says to policies.
type Domain struct {
	Thresholds Thresholds
	Quarantine string // "" for the default
}

// Plan is a compiled policy with the filters of its configuration.
type Plan struct {
	info       pipeline.PlanInfo
	stages     [pipeline.Deliver + 1][]*Rule
	start      [pipeline.Deliver + 1][]int // slots of filters to start when a stage is reached
	thresholds Thresholds
	partial    pipeline.Action
	domains    map[string]Domain
	quarantine string                    // where the domain names none
	sameForAll bool                      // no data rule can differ between recipients
	room       [pipeline.Deliver + 1]int // for lines in the record
	lookups    [pipeline.Deliver + 1]*lookup

	instances []*pipeline.Instance
	set       *pipeline.Set
	clock     func() time.Time
	runs      sync.Pool
}

// Config is what a Plan is made of.
type Config struct {
	Info       pipeline.PlanInfo
	Stages     [pipeline.Deliver + 1][]*Rule
	Start      [pipeline.Deliver + 1][]int
	Thresholds Thresholds
	Partial    pipeline.Action
	Domains    map[string]Domain
	Quarantine string
	Instances  []*pipeline.Instance // by slot; nil where nothing needs the slot
	Set        *pipeline.Set
	Clock      func() time.Time
}

// New makes a Plan.
func New(c Config) *Plan {
	p := &Plan{info: c.Info, stages: c.Stages, start: c.Start, thresholds: c.Thresholds, partial: c.Partial,
		domains: c.Domains, quarantine: c.Quarantine, instances: c.Instances, set: c.Set, clock: c.Clock, sameForAll: true}
	for _, rs := range p.stages {
		for i, r := range rs {
			r.index = i
		}
	}
	for _, r := range p.stages[pipeline.Data] {
		p.sameForAll = p.sameForAll && !r.PerRcpt
	}
	for at, rs := range p.stages {
		for _, r := range rs {
			r.Tags, r.Add = distinct(r.Tags), distinct(r.Add)
			r.makeLines(pipeline.Stage(at))
		}
	}
	p.rooms()
	for at, rs := range p.stages {
		p.lookups[at] = newLookup(rs)
	}
	p.runs.New = func() any { return &walker{r: &expr.Run{}} }
	return p
}

// distinct leaves out what stood before.
func distinct(ss []string) (out []string) {
	for _, s := range ss {
		if !has(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// Info names the plan in the trail.
func (p *Plan) Info() pipeline.PlanInfo { return p.info }

// Rules are the rules of a stage in order; not to be changed.
func (p *Plan) Rules(at pipeline.Stage) []*Rule { return p.stages[at] }

// Run answers for a stage.
func (p *Plan) Run(ctx context.Context, at pipeline.Stage, tx *pipeline.Transaction) []pipeline.Verdict {
	tx.Use(p.set)
	p.startFilters(ctx, at, tx)
	if len(p.stages[at]) == 0 && at < pipeline.Data {
		return nil
	}
	w := p.runs.Get().(*walker)
	w.r.Reset(ctx, tx, p.instances, p.clock)
	w.p, w.at, w.tx = p, at, tx
	var vs []pipeline.Verdict
	switch at {
	case pipeline.Data:
		vs = w.data()
	case pipeline.Deliver:
		vs = w.deliver()
	default:
		vs = w.early()
	}
	w.forget() // not after a panic: then there is no telling what w is
	p.runs.Put(w)
	return vs
}

// startFilters sets off what waits on the network.
func (p *Plan) startFilters(ctx context.Context, at pipeline.Stage, tx *pipeline.Transaction) {
	for _, slot := range p.start[at] {
		in := p.instances[slot]
		if in.Scope == pipeline.PerRecipient && at == pipeline.Data {
			for i := range tx.To {
				tx.For(i).Start(ctx, in)
			}
			continue
		}
		tx.Start(ctx, in)
	}
}

// ThresholdsFor are the thresholds for the recipients of a domain.
func (p *Plan) ThresholdsFor(domain string) Thresholds {
	return p.thresholds.Over(p.domains[domain].Thresholds)
}

// forRecipient are the thresholds and the quarantine of a recipient.
func (p *Plan) forRecipient(to *pipeline.Recipient) (Thresholds, string) {
	name := to.Acceptance.Domain
	if name == "" {
		name = to.Address.Domain
	}
	d, ok := p.domains[name]
	if !ok {
		return p.thresholds, p.quarantine
	}
	q := d.Quarantine
	if q == "" {
		q = p.quarantine
	}
	return p.thresholds.Over(d.Thresholds), q
}
