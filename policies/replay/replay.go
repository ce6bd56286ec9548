// Package replay judges messages again by a policy, from the records that the
// trail keeps: what would the changed policy have done with yesterday's mail?
// Sessions are played by relay/inbound itself (inbound.Rehearse), with the facts
// that were found then. What a record does not have is not guessed: if the
// verdict depends on it, the answer is that nobody can tell.
package replay

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/policies/internal/rules"
	"github.com/forepost/forepost/relay/inbound"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// Options of New.
type Options struct {
	Load policies.Options // Kinds are those of the build; Now is set here
	// Deps are what filters need that run: those that look at the message alone
	// where there is a body, and where Live is set the others as well.
	Deps filters.Deps
	// Bodies finds the message as it was received; nil where bodies are not asked
	// for. An error means that it is no longer there.
	Bodies func(id mail.ID) (mail.Blob, error)
	// Live lets filters look for what a record has not, over the network too: for
	// messages that are just coming in.
	Live bool
}

// Judge judges records by one configuration. It is used by one goroutine.
type Judge struct {
	o     Options
	cfg   *policies.Config
	plans *policies.Policies
	now   time.Time
	one   subject
}

// New reads the configuration at a path. Diagnostics are as of policies.Load; an
// error is about a filter that cannot be made.
func New(path string, o Options) (*Judge, policies.Diagnostics, error) {
	j := &Judge{o: o}
	load := o.Load
	load.Now, load.Rehearsal = j.clock, true
	load.Kinds = make([]filters.Kind, len(o.Load.Kinds))
	for i, k := range o.Load.Kinds {
		load.Kinds[i] = j.kind(k)
	}
	cfg, ds := policies.Load(path, load)
	if cfg == nil {
		return nil, ds, nil
	}
	j.cfg = cfg
	var err error
	deps := o.Deps
	deps.Now = j.clock
	j.plans, err = cfg.Build(deps)
	return j, ds, err
}

func (j *Judge) clock() time.Time {
	if j.now.IsZero() {
		return time.Now()
	}
	return j.now
}

// Hash is that of a policy of the configuration, "" where there is none.
func (j *Judge) Hash(policy string) string {
	if p, ok := j.plans.Plan(policy); ok {
		return p.Info().Hash
	}
	return ""
}

// Verdict is what became of a recipient, or would have.
type Verdict struct {
	Action string `json:"action"` // accept, reject, ...; "cannot tell"
	Rule   string `json:"rule,omitempty"`
	Where  string `json:"where,omitempty"` // the quarantine or the route
}

// CannotTell is the Action of a verdict that depends on what is not known.
const CannotTell = "cannot tell"

// Fate is what became of one recipient and what would.
type Fate struct {
	To       string   `json:"to,omitempty"` // "" for the session or transaction as a whole
	Was, Now Verdict  `json:"-"`
	Lacks    []string `json:"lacks,omitempty"` // the facts that are not known, where nobody can tell
}

// Changed tells whether the verdict would be another one.
func (f *Fate) Changed() bool {
	return f.Now.Action != CannotTell && (f.Was.Action != f.Now.Action || f.Was.Where != f.Now.Where)
}

// Outcome is what a replay of one record came to.
type Outcome struct {
	Fates  []Fate
	Rules  []*trail.Rule // the trace of the new policy
	Points string
	Would  []string // rules in shadow that would have acted
}

// ErrOld is a record that was written before records had what a replay needs.
var ErrOld = errors.New("the record is of an earlier version, and lacks what a replay needs")

// Replay judges one record again.
func (j *Judge) Replay(ctx context.Context, r *trail.Record) (out Outcome, err error) {
	if err := j.begin(r); err != nil {
		return out, err
	}
	if !j.one.judged() {
		for i := range j.one.places {
			p := &j.one.places[i]
			out.Fates = append(out.Fates, Fate{To: p.to, Was: p.was, Now: p.was})
		}
		return out, nil
	}
	plan, name := j.plan(r)
	if plan == nil {
		j.one.past.missed = []string{"listener " + name}
		for _, p := range j.one.places {
			out.Fates = append(out.Fates, Fate{To: p.to, Was: p.was, Now: Verdict{Action: CannotTell}, Lacks: j.one.past.missed})
		}
		return out, nil
	}
	return j.worlds(ctx, r, plan)
}

// plan is that of the listener, or, where the configuration has no such one, the
// policy of the same name.
func (j *Judge) plan(r *trail.Record) (plan pipeline.Plan, listener string) {
	for i := range j.cfg.Settings.Listeners {
		if l := &j.cfg.Settings.Listeners[i]; l.Name == r.Listener {
			plan, _ = j.plans.Plan(l.Policy)
			return plan, r.Listener
		}
	}
	if plan, ok := j.plans.Plan(r.Policy); ok {
		return plan, r.Listener
	}
	return nil, r.Listener
}

// maxWorlds bounds how often a message is judged because of what is not known.
const maxWorlds = 64

// worlds judges a message for each way in which what is not known might have
// turned out. If all come to the same, it did not matter.
func (j *Judge) worlds(ctx context.Context, r *trail.Record, plan pipeline.Plan) (Outcome, error) {
	var first Outcome
	todo := []map[guess]bool{{}}
	for n := 0; len(todo) > 0; n++ {
		world := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		j.one.past.begin(world)
		got := j.play(ctx, r, plan)
		if n == 0 {
			first = got
			if len(j.one.past.asked) == 0 {
				return first, nil
			}
		} else {
			first.differ(got)
		}
		if n == maxWorlds {
			first.differ(Outcome{})
			break
		}
		todo = append(todo, j.one.past.others()...)
	}
	first.lack(j.asRulesSay(j.one.past.missed))
	return first, nil
}

// asRulesSay names what filters find by the facts that rules ask for: of the
// filter body that is msg.text and msg.urls.
func (j *Judge) asRulesSay(missed []string) []string {
	out := slices.Clone(missed)
	for i, what := range out {
		name, fact, one := strings.Cut(what, ".")
		for _, k := range j.o.Load.Kinds {
			switch {
			case k.Root == "" || k.Name != name:
			case one:
				out[i] = k.Root + "." + fact
			default:
				var facts []string
				for _, f := range k.Facts {
					facts = append(facts, k.Root+"."+f.Name)
				}
				out[i] = strings.Join(facts, " or ")
			}
		}
	}
	return out
}

// differ marks the recipients for whom another world gives another verdict.
func (o *Outcome) differ(other Outcome) {
	for i := range o.Fates {
		f := &o.Fates[i]
		if i >= len(other.Fates) || f.Now.Action != other.Fates[i].Now.Action || f.Now.Where != other.Fates[i].Now.Where {
			f.Now = Verdict{Action: CannotTell}
		}
	}
}

func (o *Outcome) lack(what []string) {
	for i := range o.Fates {
		if f := &o.Fates[i]; f.Now.Action == CannotTell && f.Lacks == nil {
			f.Lacks = slices.Clone(what)
		}
	}
}

// play plays the session once, in one world.
func (j *Judge) play(ctx context.Context, r *trail.Record, plan pipeline.Plan) Outcome {
	s := &j.one
	session := &pipeline.Session{ID: r.ID.Session(), Start: r.Time, Listener: r.Listener, Client: s.client, Helo: r.Client.Helo, ESMTP: true,
		TLS: s.tls, Auth: s.auth, Past: &s.past}
	cfg := inbound.Config{Name: r.Listener, Hostname: j.cfg.Settings.Hostname, MaxRecipients: 1 << 20, Directory: s,
		Policies: timed{plan, j, r}, Now: j.clock, RejectEarly: j.early(r)}
	if r.Trusted && s.client.IsValid() {
		cfg.RelayFrom = []netip.Prefix{netip.PrefixFrom(s.client, s.client.BitLen())}
	}
	j.now = r.Time
	p := inbound.Play{Session: session, Declared: r.Declared, SMTPUTF8: r.UTF8, To: s.to, Part: s.part, Unread: s.unread, Message: s.body}
	if r.From == nil {
		p.NoMail = true
	} else {
		p.From = s.from
	}
	got := inbound.Rehearse(ctx, cfg, p)
	out := Outcome{Rules: got.Rules}
	if len(got.Fates) > 0 {
		out.Points = points(got.Fates[0].Ledger.Points)
	}
	for i := range got.Rules {
		if got.Rules[i].Outcome == "would" {
			out.Would = append(out.Would, got.Rules[i].Path)
		}
	}
	for i := range s.places {
		out.Fates = append(out.Fates, s.fate(&s.places[i], &got))
	}
	return out
}

// early is the listener's reject_early; a record of a session that was turned
// away at the door tells that it was so then.
func (j *Judge) early(r *trail.Record) bool {
	for i := range j.cfg.Settings.Listeners {
		if l := &j.cfg.Settings.Listeners[i]; l.Name == r.Listener {
			return l.RejectEarly
		}
	}
	return r.From == nil
}

// timed is a plan for which it is as late as it was then.
type timed struct {
	pipeline.Plan
	j *Judge
	r *trail.Record
}

// PlanFor is inbound.Policies.
func (t timed) PlanFor(string) pipeline.Plan { return t }

// Run is the plan's.
func (t timed) Run(ctx context.Context, at pipeline.Stage, tx *pipeline.Transaction) []pipeline.Verdict {
	if at == pipeline.Data && !t.r.Judged.IsZero() {
		t.j.now = t.r.Judged
	}
	return t.Plan.Run(ctx, at, tx)
}

// partOf is the structure of a message as far as a record has it.
func partOf(r *trail.Record) *mime.Part {
	p := &mime.Part{Type: r.Type}
	for _, d := range r.Defects {
		p.Defects = append(p.Defects, mime.Defect(d))
	}
	for _, f := range r.Header {
		raw := f.Value
		if f.Cut && raw == "" {
			raw = "?" // it is there, and that is all one knows
		}
		p.Fields = append(p.Fields, mime.Field{Name: f.Name, Raw: raw})
	}
	return p
}

func points(p pipeline.Points) string {
	if p == 0 {
		return ""
	}
	return strings.TrimPrefix(rules.FormatPoints(p), "+")
}
