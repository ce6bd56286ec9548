package inbound

import (
	"context"
	"strings"

	"github.com/emersion/go-smtp"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// transaction is one message on its way in, from MAIL to the reply to DATA.
type transaction struct {
	*pipeline.Transaction
	plan   pipeline.Plan
	ctx    context.Context
	cancel context.CancelFunc

	env        mail.Envelope    // without recipients
	remembered pipeline.Verdict // of Mail or an earlier stage, to be answered at RCPT
	discarded  []string         // recipients that were taken and are thrown away
	taken      []taken          // all that RCPT took, in order
	refused    int              // outcomes of refused recipients in the record
	places     []int            // of To in the record's recipients, counted from 1; 0 for none
	touched    bool             // a command followed MAIL
}

// maxRefused bounds how many refused recipients the trail keeps of a transaction.
const maxRefused = 1000

// mail is MAIL, parsed by go-smtp and the wire.
func (s *session) mail(from mail.Address, o *smtp.MailOptions) mail.Reply {
	if r := s.mayMail(from); !r.IsZero() {
		s.recordMail(&from, "builtin.submission", naming(r, s.current).String())
		return r
	}
	tx := s.newTransaction(from, o)
	v := first(tx.plan.Run(tx.ctx, pipeline.Mail, tx.Transaction))
	if before := s.remembered(); before.Action != pipeline.None {
		v = before
	}
	if v.Action == pipeline.Drop || v.Action.Refuses() && s.cfg.RejectEarly {
		r := refusal(v, s.current)
		s.refuse(tx, nil, v, r)
		s.finish(tx)
		return r
	}
	if v.Action != pipeline.Accept {
		tx.remembered = v
	}
	s.tx = tx
	return mail.Reply{}
}

// mayMail is what submission asks before anything: RFC 6409 section 4.3 and 6.1.
func (s *session) mayMail(from mail.Address) mail.Reply {
	if s.cfg.Protocol == Submission && s.cfg.Auth && s.ps.Auth.User == "" && !s.ps.Trusted {
		return mail.Refuse(30, 7, 0, "Authentication is required")
	}
	if s.cfg.Protocol == Submission && s.ps.Auth.User != "" && !from.IsNull() && !owns(s.ps.Auth, from) {
		return mail.Refuse(50, 7, 1, "The sender address is not one of yours")
	}
	return mail.Reply{}
}

// owns tells whether an address is one of an identity's own.
func owns(id mail.Identity, a mail.Address) bool {
	for _, own := range id.Addresses {
		if own.Key() == a.Key() || own.Local == "*" && strings.EqualFold(own.Domain, a.Domain) {
			return true
		}
	}
	return false
}

func (s *session) newTransaction(from mail.Address, o *smtp.MailOptions) *transaction {
	tx := &transaction{Transaction: pipeline.NewTransaction(s.ps), plan: s.cfg.Policies.PlanFor(s.cfg.Name)}
	s.onePolicy(tx.plan)
	tx.ctx, tx.cancel = context.WithCancel(dns.WithBudget(s.ctx, pipeline.MaxQuestions))
	tx.Transaction.ID, tx.Transaction.From, tx.Declared, tx.SMTPUTF8 = s.current, from, o.Size, o.UTF8
	tx.env = mail.Envelope{ID: s.current, Listener: s.cfg.Name, From: from, SMTPUTF8: o.UTF8, EightBit: o.Body == smtp.Body8BitMIME,
		Binary: s.conn != nil && s.conn.wire.body == string(smtp.BodyBinaryMIME), RequireTLS: o.RequireTLS, Ret: string(o.Return), EnvID: o.EnvelopeID}
	if s.conn != nil {
		tx.env.Priority = s.grant(s.conn.wire.priority)
	}
	tx.Trace = s.newRecord(s.current)
	path := from.String()
	tx.Trace.From = &path
	info := tx.plan.Info()
	tx.Trace.Policy, tx.Trace.Hash, tx.Trace.Loaded = info.Name, info.Hash, info.Loaded
	tx.Trace.Declared, tx.Trace.UTF8, tx.Trace.Asked = tx.Declared, tx.SMTPUTF8, info.Headers
	tx.Trace.Rules = append(tx.Trace.Rules, s.ps.Trace...)
	return tx
}

// abort ends a transaction that came to no message.
func (s *session) abort(why string) {
	tx := s.tx
	if tx == nil {
		return
	}
	s.tx = nil
	for i := range tx.To {
		tx.Settle(context.WithoutCancel(tx.ctx), i, false)
	}
	tx.Settle(context.WithoutCancel(tx.ctx), -1, false)
	if tx.touched {
		if len(tx.To) > 0 {
			tx.Trace.Outcomes = append(tx.Trace.Outcomes, trail.Outcome{To: addresses(tx.To), Action: "abort", Reply: why})
		}
		s.write(tx)
	}
	tx.cancel()
}

// finish ends a transaction that was answered.
func (s *session) finish(tx *transaction) {
	s.tx = nil
	s.write(tx)
	tx.cancel()
}
