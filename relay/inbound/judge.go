package inbound

import (
	"reflect"
	"slices"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// judged is what came of a stage that is about the session: a verdict to be
// answered at RCPT, and what rules had noted by then; nil for nothing.
type judged struct {
	verdict pipeline.Verdict // of Action None where nothing is to be answered
	ledger  pipeline.Ledger
	trace   []*trail.Rule
}

// restore takes back what was noted since.
func (j *judged) restore(ps *pipeline.Session) {
	if ps.Ledger, ps.Trace = (pipeline.Ledger{}), nil; j != nil {
		ps.Ledger, ps.Trace = j.ledger, j.trace
	}
}

// connect is stage Connect. A Reply ends the connection before it begins.
func (s *session) connect() (r mail.Reply) {
	r, s.connected = s.judgeSession(pipeline.Connect)
	return r
}

// remembered is the verdict of the session's stages, the first of them first; nil
// for none.
func (s *session) remembered() *pipeline.Verdict {
	for _, j := range []*judged{s.connected, s.greeted} {
		if j != nil && j.verdict.Action != pipeline.None {
			return &j.verdict
		}
	}
	return nil
}

// judgeSession asks the policy about the client itself. Its verdict is answered
// at RCPT unless the listener rejects early; a drop is answered at once.
func (s *session) judgeSession(at pipeline.Stage) (mail.Reply, *judged) {
	s.plan = s.cfg.Policies.PlanFor(s.cfg.Name)
	v := first(s.plan.Run(s.ctx, at, pipeline.NewTransaction(s.ps)))
	if v != nil && (v.Action == pipeline.Drop || v.Action.Refuses() && s.cfg.RejectEarly) {
		r := refusal(*v, s.ps.ID)
		if at == pipeline.Connect {
			r = atOpening(r)
		}
		s.recordSession(v, r)
		return r, nil
	}
	return mail.Reply{}, s.remains(v)
}

// remains is what is remembered of a verdict that turned nobody away.
func (s *session) remains(v *pipeline.Verdict) *judged {
	if v != nil && v.Action == pipeline.Accept {
		v = nil
	}
	if v == nil && s.ps.Trace == nil && reflect.ValueOf(&s.ps.Ledger).Elem().IsZero() {
		return nil
	}
	j := &judged{ledger: s.ps.Ledger, trace: slices.Clip(s.ps.Trace)}
	if v != nil {
		j.verdict = *v
	}
	l := &j.ledger // its lists grow elsewhere
	l.Tags, l.Skip, l.Symbols = slices.Clip(l.Tags), slices.Clip(l.Skip), slices.Clip(l.Symbols)
	l.Fields, l.Edits, l.Copies = slices.Clip(l.Fields), slices.Clip(l.Edits), slices.Clip(l.Copies)
	return j
}

// first is the verdict of a stage that gives at most one, nil where it gives none.
func first(vs []pipeline.Verdict) *pipeline.Verdict {
	if len(vs) == 0 || vs[0].Action == pipeline.None {
		return nil
	}
	return &vs[0]
}

// refusal is the reply of a verdict that refuses, naming the ID. Connections
// that are dropped hear 421 whatever the rule says.
func refusal(v pipeline.Verdict, id mail.ID) mail.Reply {
	r := v.Reply
	switch {
	case v.Action == pipeline.Drop:
		if r.IsZero() {
			r = mail.Defer(21, 7, 0, "Closing the connection")
		}
		r.Class, r.Basic = mail.Transient, 21
	case r.IsZero() && v.Action == pipeline.Defer:
		r = mail.Defer(51, 7, 1, "Not now, try again later")
	case r.IsZero():
		r = mail.Refuse(50, 7, 1, "Refused by policy")
	}
	if r.Text == "" {
		r.Text = "Refused by policy"
	}
	return naming(r, id)
}

// naming puts the ID behind the text.
func naming(r mail.Reply, id mail.ID) mail.Reply {
	if !r.IsZero() && id != "" {
		r.Text += " (" + string(id) + ")"
	}
	return r
}

// recordSession is the trail of a session that was turned away.
func (s *session) recordSession(v *pipeline.Verdict, r mail.Reply) {
	rec := s.newRecord(s.ps.ID)
	rec.Rules = s.ps.Trace
	if s.plan != nil {
		info := s.plan.Info()
		rec.Policy, rec.Hash, rec.Loaded = info.Name, info.Hash, info.Loaded
	}
	for _, f := range pipeline.NewTransaction(s.ps).Results() {
		rec.Facts = append(rec.Facts, factOf(f))
	}
	rec.Outcomes = []trail.Outcome{{Action: v.Action.String(), Rule: v.Rule, Reply: r.String()}}
	s.cfg.Trail.Record(&rec.Record)
	s.tally(v.Action)
	s.log.Info("session refused", "id", string(s.ps.ID), "action", v.Action.String(), "rule", v.Rule, "reply", r.String())
}
