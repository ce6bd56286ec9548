package inbound

import (
	"cmp"
	"strings"

	"github.com/emersion/go-smtp"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// rcpt is RCPT. What may be sent to whom is settled before any policy is asked,
// so that no rule can open a relay. name is to as text.
func (s *session) rcpt(to mail.Address, name string, o *smtp.RcptOptions) mail.Reply {
	tx := s.tx
	tx.touched = true
	acc, v := s.authority(tx, to)
	i := len(tx.To)
	if v == nil && tx.remembered != nil {
		kept := *tx.remembered
		kept.To, v = i, &kept
	}
	if tx.To == nil {
		tx.To = tx.to[:0]
	}
	tx.To = append(tx.To, pipeline.Recipient{})
	r := &tx.To[i]
	r.Address, r.Acceptance, r.Original, r.Notify = to, acc, original(o), notify(o)
	tx.Current, tx.notes = i, inRoom(tx.notes[:i], tx.note[:], note{name, tx.keepRcpt(name, &acc)})
	if v == nil {
		v = first(tx.plan.Run(tx.ctx, pipeline.Rcpt, tx.Transaction))
	}
	switch {
	case v == nil:
	case v.Action.Refuses():
		reply := refusal(*v, tx.Transaction.ID)
		s.refuse(tx, []string{name}, *v, reply)
		s.drop(tx, i, false)
		return reply
	case v.Action == pipeline.Discard:
		tx.discarded = append(tx.discarded, name)
		s.outcome(tx, trail.Outcome{To: []string{name}, Action: v.Action.String(), Rule: v.Rule})
		s.drop(tx, i, true)
		i = -1
	}
	if s.cfg.Protocol == LMTP {
		tx.taken = append(tx.taken, taken{name, i})
	}
	return mail.Reply{}
}

// drop takes the last recipient out again.
func (s *session) drop(tx *transaction, i int, taken bool) {
	tx.Settle(tx.after, i, taken)
	tx.keepFacts(tx.Results(), func(to int) bool { return to == i })
	tx.Forget(i)
	tx.To = tx.To[:i]
}

// authority asks whether this gateway takes mail for the recipient at all: it is
// ours and known, or the client may relay. A verdict says that it does not.
func (s *session) authority(tx *transaction, to mail.Address) (mail.Acceptance, *pipeline.Verdict) {
	why := ""
	builtin := func(rule string, r mail.Reply) *pipeline.Verdict {
		v := &pipeline.Verdict{To: len(tx.To), Action: pipeline.Reject, Reply: r, Rule: "builtin." + rule}
		if r.Class == mail.Transient {
			v.Action = pipeline.Defer
		}
		tx.Trace.Rules = append(tx.Trace.Rules, &trail.Rule{Stage: "rcpt", Path: v.Rule, Outcome: "yes", Why: why, To: to.String()})
		return v
	}
	if len(tx.To)+len(tx.discarded) >= s.cfg.MaxRecipients {
		return mail.Acceptance{}, builtin("recipients", mail.Defer(52, 5, 3, "Too many recipients"))
	}
	acc, err := s.accepts(tx, to)
	why = acc.Why
	switch {
	case err != nil:
		s.log.Error("the directory could not tell", "id", s.name(), "to", to.String(), "error", err)
		return acc, builtin("recipient", mail.Defer(51, 4, 3, "The recipient cannot be checked now, try again later"))
	case acc.Ours && acc.Known:
		return acc, nil
	case acc.Ours && !acc.Reply.IsZero():
		return acc, builtin(cmp.Or(acc.Rule, "recipient"), acc.Reply)
	case acc.Ours:
		return acc, builtin("recipient", mail.Refuse(50, 1, 1, "No such user here"))
	case s.ps.Trusted, s.ps.Auth.User != "":
		return acc, nil
	}
	return acc, builtin("relay", mail.Refuse(50, 7, 1, "Relaying is not allowed"))
}

func (s *session) accepts(tx *transaction, to mail.Address) (mail.Acceptance, error) {
	if d, ok := s.cfg.Directory.(AskedDirectory); ok {
		return d.AcceptsFor(tx.ctx, tx.Session, to)
	}
	return s.cfg.Directory.Accepts(tx.ctx, to)
}

func original(o *smtp.RcptOptions) string {
	if o.OriginalRecipient == "" {
		return ""
	}
	return strings.ToLower(string(o.OriginalRecipientType)) + ";" + o.OriginalRecipient
}

func notify(o *smtp.RcptOptions) (n mail.Notify) {
	for _, word := range o.Notify {
		switch word {
		case smtp.DSNNotifyNever:
			n |= mail.NotifyNever
		case smtp.DSNNotifySuccess:
			n |= mail.NotifySuccess
		case smtp.DSNNotifyFailure:
			n |= mail.NotifyFailure
		case smtp.DSNNotifyDelayed:
			n |= mail.NotifyDelay
		}
	}
	return n
}
