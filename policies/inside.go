package policies

import (
	"context"

	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/policies/internal/rules"
	"github.com/forepost/forepost/relay/pipeline"
)

// What follows is for the packages below this one, which look into policies: the
// types are internal.

// Env is what expressions of the configuration can name.
func (c *Config) Env() *expr.Env { return c.l.env }

// Names are the names of the blocks of a type that references can name.
func (c *Config) Names(typ string) []string { return append(keysOf(c.l.named[typ]), builtins[typ]...) }

// Rules are the rules of a policy by stage, in order; not to be changed.
func (p *Policies) Rules(policy string) (all []*rules.Rule) {
	plan, ok := p.plans[policy]
	if !ok {
		return nil
	}
	for at := pipeline.Connect; at <= pipeline.Deliver; at++ {
		all = append(all, plan.Rules(at)...)
	}
	return all
}

// Thresholds are those of a policy for the recipients of a domain.
func (p *Policies) Thresholds(policy, domain string) rules.Thresholds {
	return p.plans[policy].ThresholdsFor(domain)
}

// Run is an evaluation of expressions over a transaction, with what rules have
// noted about the recipient in question.
func (p *Policies) Run(ctx context.Context, tx *pipeline.Transaction, noted *pipeline.Ledger) *expr.Run {
	tx.Use(p.Set)
	r := &expr.Run{}
	r.Reset(ctx, tx, p.built, p.clock)
	r.Points, r.Tags = noted.Points, noted.Tags
	return r
}
