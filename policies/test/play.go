package test

import (
	"context"
	"strings"

	"github.com/zclconf/go-cty/cty"

	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/policies/internal/expr"
	"github.com/forepost/forepost/relay"
	"github.com/forepost/forepost/relay/inbound"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/route"
	"github.com/forepost/forepost/relay/trail"
)

type address = mail.Address

var noValue = cty.NilVal

// played is what came of a case.
type played struct {
	*inbound.Rehearsed
	plan   pipeline.Plan
	routes []string // by recipient, "" where it is not taken
	tx     *pipeline.Transaction
}

// play runs one case and compares.
func (r *runner) play(ctx context.Context, c *oneCase) *Result {
	r.stage.set(c.scene)
	p := r.rehearse(ctx, c.scene)
	res := &Result{Name: c.name, File: r.f.name, Line: c.block.TypeRange.Start.Line, Policy: c.scene.listener.Policy, matched: matched(p.Rules)}
	for _, e := range c.expects {
		r.compare(ctx, res, c, e, p)
	}
	for _, a := range c.asserts {
		r.check(ctx, res, a, c, p)
	}
	return res
}

// rehearse plays the session of a case, and the first attempt to deliver.
func (r *runner) rehearse(ctx context.Context, sc *scene) *played {
	plan, _ := r.plans.Plan(sc.listener.Policy)
	session := &pipeline.Session{Listener: sc.listener.Name, Client: sc.session.Client, Helo: sc.session.Helo, ESMTP: true,
		TLS: sc.session.TLS, Auth: sc.session.Auth}
	cfg := inbound.Config{Name: sc.listener.Name, Hostname: r.cfg.Settings.Hostname, Auth: sc.listener.Auth != "",
		RelayFrom: sc.listener.RelayFrom, RejectEarly: sc.listener.RejectEarly, MaxRecipients: sc.listener.MaxRecipients,
		Policies: onePlan{plan}, Directory: directory{r.cfg.Settings, sc.unknown}, Now: r.stage.time}
	switch sc.listener.Protocol {
	case "submission":
		cfg.Protocol = inbound.Submission
	case "lmtp":
		cfg.Protocol = inbound.LMTP
	}
	out := inbound.Rehearse(ctx, cfg, inbound.Play{Session: session, From: sc.from, Declared: sc.size, SMTPUTF8: sc.utf8, To: sc.to, Message: sc.message})
	p := &played{Rehearsed: &out, plan: plan, tx: out.Tx}
	if p.tx == nil || p.tx.Part == nil {
		p.tx = r.view(ctx, session, sc)
	}
	for i := range out.Fates {
		p.routes = append(p.routes, r.route(ctx, p, sc, &out.Fates[i]))
	}
	return p
}

// onePlan is the plan of every listener.
type onePlan struct{ plan pipeline.Plan }

// PlanFor is inbound.Policies.
func (p onePlan) PlanFor(string) pipeline.Plan { return p.plan }

// view is the transaction as it would have been, where it did not come as far:
// for telling what facts were.
func (r *runner) view(ctx context.Context, s *pipeline.Session, sc *scene) *pipeline.Transaction {
	tx := pipeline.NewTransaction(s)
	tx.From, tx.Declared, tx.SMTPUTF8 = sc.from, sc.size, sc.utf8
	d := directory{r.cfg.Settings, sc.unknown}
	for _, to := range sc.to {
		acc, _ := d.Accepts(ctx, to) // it never fails
		tx.To = append(tx.To, pipeline.Recipient{Address: to, Acceptance: acc})
	}
	tx.Message = &mail.Message{Blob: sc.message}
	if part, err := mime.Parse(sc.message, mime.Limits{}); err == nil { // octets in memory
		tx.Part = part
	}
	return tx
}

// route is where a recipient's message goes next, as the deliver phase says at
// the first attempt. Where the case states an attempt, that phase decides.
func (r *runner) route(ctx context.Context, p *played, sc *scene, f *inbound.Fate) string {
	if f.Action != pipeline.Accept {
		return ""
	}
	env := mail.Envelope{Listener: sc.listener.Name, From: sc.from, SMTPUTF8: sc.utf8,
		To: []mail.Recipient{{Address: f.To, Tags: f.Ledger.Tags, Route: f.Ledger.Route}}}
	try := queue.Try{Attempt: 1}
	if sc.attempt != nil {
		try = queue.Try{Attempt: sc.attempt.Attempt, Age: sc.attempt.Age, LastCode: sc.attempt.LastCode, Host: sc.attempt.Host}
	}
	judge := relay.NewJudge(func(string) pipeline.Plan { return traced{p.plan, &p.Rehearsed.Rules} })
	ruling := judge.Judge(ctx, env, 0, sc.message.Size(), try)
	if sc.attempt != nil && ruling.Rule != "" {
		f.Action, f.Rule, f.Reply = actionOf(ruling.Order), ruling.Rule, ruling.Reply.String()
	}
	f.Ledger.Tags = merge(f.Ledger.Tags, ruling.Tags)
	name, _ := route.ParseChoice(first(ruling.Route, f.Ledger.Route))
	return first(name, domainRoute(r.cfg.Settings, f.To))
}

// traced is a plan whose traces at Deliver are kept beside those of the session.
type traced struct {
	pipeline.Plan
	rules *[]*trail.Rule
}

// Run is the plan's.
func (t traced) Run(ctx context.Context, at pipeline.Stage, tx *pipeline.Transaction) []pipeline.Verdict {
	vs := t.Plan.Run(ctx, at, tx)
	*t.rules = append(*t.rules, tx.Trace.Rules...)
	return vs
}

func actionOf(o queue.Order) pipeline.Action {
	switch o {
	case queue.Postpone:
		return pipeline.Defer
	case queue.Refuse:
		return pipeline.Reject
	case queue.Discard:
		return pipeline.Discard
	case queue.Keep:
		return pipeline.Hold
	}
	return pipeline.Accept
}

func domainRoute(s *policies.Settings, to mail.Address) string {
	for _, d := range s.Domains {
		if d.Name == to.Domain {
			return d.Route
		}
	}
	return "mx"
}

// run is an evaluation at the end of a case, about a recipient.
func (r *runner) run(ctx context.Context, p *played, to int) *expr.Run {
	tx := p.tx
	for i := range tx.To {
		if tx.To[i].Address == p.Fates[to].To {
			tx = tx.For(i)
			break
		}
	}
	return r.plans.Run(ctx, tx, &p.Fates[to].Ledger)
}

// matched are the paths of rules that did something, or would have.
func matched(rules []*trail.Rule) map[string]bool {
	m := map[string]bool{}
	for _, t := range rules {
		switch t.Outcome {
		case "no", "skipped", "unknown", "under":
			continue
		}
		m[t.Path] = true
		if strings.HasPrefix(t.Outcome, "+") || strings.HasPrefix(t.Outcome, "-") { // a line of a score
			m[t.Path[:strings.LastIndexByte(t.Path, '.')]] = true
		}
	}
	return m
}

func first(ss ...string) string {
	for _, s := range ss {
		if s != "" {
			return s
		}
	}
	return ""
}

func merge(a, b []string) []string {
	out := append([]string(nil), a...)
	for _, s := range b {
		if !has(out, s) {
			out = append(out, s)
		}
	}
	return out
}
