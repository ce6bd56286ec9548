package inbound

import (
	"slices"
	"strings"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// What the record keeps beside the verdict, so that another policy can be tried
// on it: who the recipients were to the directory, what filters found about each
// of them, and what a policy can ask of the header.

// Bounds, further ones are the trail's.
const (
	maxKeptRcpts = 2000
	maxKeptFacts = 2000
	maxOwn       = 100
)

// keepRcpt notes a recipient and tells its number, from 1; 0 where there are too
// many.
func (tx *transaction) keepRcpt(to string, acc *mail.Acceptance) int {
	if len(tx.Trace.Rcpts) >= maxKeptRcpts {
		return 0
	}
	tx.Trace.Rcpts = inRoom(tx.Trace.Rcpts, tx.rec.rcpts[:], trail.Rcpt{Address: to, Ours: acc.Ours, Known: acc.Known, Domain: acc.Domain})
	return len(tx.Trace.Rcpts)
}

// keepFacts notes what was found about some of the recipients (-1: about the
// message or the session).
func (tx *transaction) keepFacts(found []pipeline.Result, about func(to int) bool) {
	for _, r := range found {
		if !about(r.To) || len(tx.Trace.Facts) >= maxKeptFacts {
			continue
		}
		f := factOf(r)
		if r.To >= 0 && r.To < len(tx.notes) {
			f.Rcpt = tx.notes[r.To].place
		}
		tx.Trace.Facts = append(tx.Trace.Facts, f)
	}
}

func factOf(r pipeline.Result) trail.Fact {
	f := trail.Fact{Filter: r.Instance.Name, Conf: r.Instance.Conf, Reason: r.Finding.Reason, Took: r.Took.Microseconds(), Auth: failures(r.Finding.Auth)}
	f.Values, f.Left = told(r.Finding.Facts)
	if r.Err != nil {
		f.Error = r.Err.Error()
	}
	return f
}

// keepHeader notes the form of the message, and the fields that policies ask.
func keepHeader(rec *trail.Record, p *mime.Part) {
	rec.Read, rec.Type = true, p.Type
	for _, d := range p.AllDefects() {
		rec.Defects = append(rec.Defects, string(d))
	}
	for i := range p.Fields {
		f := &p.Fields[i]
		asked := isName(rec.Asked, f.Name)
		if !asked && !isName(trail.KeptFields, f.Name) {
			continue
		}
		kept := trail.Field{Name: f.Name, Value: strings.Trim(f.Raw, " \t\r\n")}
		if !asked && strings.EqualFold(f.Name, "List-Unsubscribe") { // that it is there is all that matters
			kept.Value, kept.Cut = "", true
		}
		rec.Header = append(rec.Header, kept)
	}
}

func isName(names []string, name string) bool {
	return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
}

// onePolicy sees to it that a message is judged by one policy alone: if another
// one has come into force since the client connected, it judges the session anew.
func (s *session) onePolicy(plan pipeline.Plan) {
	have, now := s.plan.Info(), plan.Info()
	if have.Name == now.Name && have.Hash == now.Hash {
		return
	}
	s.plan = plan
	s.ps.Forget()
	s.ps.Ledger, s.ps.Trace = pipeline.Ledger{}, nil
	s.connected = s.judgeAgain(plan, pipeline.Connect)
	s.greeted = s.judgeAgain(plan, pipeline.Helo)
}

// judgeAgain asks about a client that is in already: it is not turned away at the
// door, but hears of it at MAIL or RCPT.
func (s *session) judgeAgain(plan pipeline.Plan, at pipeline.Stage) *judged {
	return s.remains(first(plan.Run(s.ctx, at, pipeline.NewTransaction(s.ps))))
}
