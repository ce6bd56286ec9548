package inbound

import (
	"context"
	"strings"

	"github.com/emersion/go-smtp"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// transaction is one message on its way in, from MAIL to the reply to DATA.
type transaction struct {
	*pipeline.Transaction
	plan  pipeline.Plan
	ctx   context.Context // ends with the transaction
	after context.Context // has its values, and does not end

	env        mail.Envelope     // without recipients
	remembered *pipeline.Verdict // of Mail or an earlier stage, to be answered at RCPT; nil for none
	discarded  []string          // recipients that were taken and are thrown away
	taken      []taken           // all that RCPT took, in order, for LMTP
	refused    int               // outcomes of refused recipients in the record
	notes      []note            // by To
	touched    bool              // a command followed MAIL

	// Room for what most messages have one of, made with the transaction.
	life    lateContext // is ctx
	judging lateContext // of stage Data
	rec     *record     // is Trace
	from    string      // is Trace.From
	message mail.Message
	in      incoming
	to      [1]pipeline.Recipient
	note    [1]note
}

// note is what else is known of a recipient.
type note struct {
	name  string // its address as text
	place int    // in the record's recipients, counted from 1; 0 for none
}

// inRoom appends to a list that begins in the room made for its first.
func inRoom[T any](list, room []T, v T) []T {
	if list == nil {
		list = room[:0]
	}
	return append(list, v)
}

// maxRefused bounds how many refused recipients the trail keeps of a transaction.
const maxRefused = 1000

// mail is MAIL, parsed by go-smtp and the wire. path is from as text.
func (s *session) mail(from mail.Address, path string, o *smtp.MailOptions) mail.Reply {
	if r := s.mayMail(from); !r.IsZero() {
		s.recordMail(&from, "builtin.submission", naming(r, s.current).String())
		return r
	}
	tx := s.newTransaction(from, path, o)
	v := first(tx.plan.Run(tx.ctx, pipeline.Mail, tx.Transaction))
	if before := s.remembered(); before != nil {
		v = before
	}
	if v != nil && (v.Action == pipeline.Drop || v.Action.Refuses() && s.cfg.RejectEarly) {
		r := refusal(*v, s.current)
		s.refuse(tx, nil, *v, r)
		s.finish(tx)
		return r
	}
	if v != nil && v.Action != pipeline.Accept {
		kept := *v // what the session remembers may change
		tx.remembered = &kept
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

func (s *session) newTransaction(from mail.Address, path string, o *smtp.MailOptions) *transaction {
	tx := &transaction{Transaction: pipeline.NewTransaction(s.ps), plan: s.cfg.Policies.PlanFor(s.cfg.Name)}
	s.onePolicy(tx.plan)
	tx.life.parent, tx.life.questions = s.ctx, pipeline.MaxQuestions
	tx.ctx, tx.after = &tx.life, tx.life.lasting()
	tx.Transaction.ID, tx.Transaction.From, tx.Declared, tx.SMTPUTF8 = s.current, from, o.Size, o.UTF8
	tx.env = mail.Envelope{ID: s.current, Listener: s.cfg.Name, From: from, SMTPUTF8: o.UTF8, EightBit: o.Body == smtp.Body8BitMIME,
		Binary: s.conn != nil && s.conn.wire.body == string(smtp.BodyBinaryMIME), RequireTLS: o.RequireTLS, Ret: string(o.Return), EnvID: o.EnvelopeID}
	if s.conn != nil {
		tx.env.Priority = s.grant(s.conn.wire.priority)
	}
	tx.rec = s.newRecord(s.current)
	tx.Trace = &tx.rec.Record
	tx.from = path
	tx.Trace.From = &tx.from
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
		tx.Settle(tx.after, i, false)
	}
	tx.Settle(tx.after, -1, false)
	if tx.touched {
		if len(tx.To) > 0 {
			tx.Trace.Outcomes = append(tx.Trace.Outcomes, trail.Outcome{To: tx.names(), Action: "abort", Reply: why})
		}
		s.write(tx)
	}
	tx.life.cancel()
}

// finish ends a transaction that was answered.
func (s *session) finish(tx *transaction) {
	s.tx = nil
	s.write(tx)
	tx.life.cancel()
}
