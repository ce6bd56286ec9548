package inbound

import (
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// connect is stage Connect. A Reply ends the connection before it begins.
func (s *session) connect() mail.Reply { return s.judgeSession(pipeline.Connect) }

// judgeSession asks the policy about the client itself. Its verdict is answered
// at RCPT unless the listener rejects early; a drop is answered at once.
func (s *session) judgeSession(at pipeline.Stage) mail.Reply {
	v := first(s.cfg.Policies.PlanFor(s.cfg.Name).Run(s.ctx, at, pipeline.NewTransaction(s.ps)))
	if v.Action == pipeline.Drop || v.Action.Refuses() && s.cfg.RejectEarly {
		r := refusal(v, s.ps.ID)
		s.recordSession(v, r)
		return r
	}
	if v.Action != pipeline.None && v.Action != pipeline.Accept && s.remembered.Action == pipeline.None {
		s.remembered = v
	}
	return mail.Reply{}
}

// first is the verdict of a stage that gives at most one.
func first(vs []pipeline.Verdict) pipeline.Verdict {
	if len(vs) == 0 {
		return pipeline.Verdict{To: -1}
	}
	return vs[0]
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
func (s *session) recordSession(v pipeline.Verdict, r mail.Reply) {
	rec := s.newRecord(s.ps.ID)
	rec.Rules = s.ps.Trace
	rec.Outcomes = []trail.Outcome{{Action: v.Action.String(), Rule: v.Rule, Reply: r.String()}}
	s.cfg.Trail.Record(rec)
	messages.WithLabelValues(s.cfg.Name, v.Action.String()).Inc()
	s.log.Info("session refused", "id", string(s.ps.ID), "action", v.Action.String(), "rule", v.Rule, "reply", r.String())
}
