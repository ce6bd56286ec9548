package inbound

import (
	"errors"
	"fmt"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/queue"
)

// bundle is recipients that get the message in the same form.
type bundle struct {
	ledger *pipeline.Ledger
	first  int // the first recipient of it
	hold   bool
	why    string
	to     []mail.Recipient
	seen   map[string]bool // what is in to, from the second on

	refused []refusedRecipient // the sender is told, nobody gets it
}

// room is for what accept makes of most messages: one of each. It is empty
// between messages.
type room struct {
	bundle bundle
	list   [1]*bundle
	subs   [1]queue.Submission
}

// refusedRecipient rejects what others of the same message take.
type refusedRecipient struct {
	mail.Recipient
	queue.Refusal
}

// accept queues the message: the octets once, an entry for each form in which
// they go on. When it returns a zero Reply the message is durable.
func (s *session) accept(tx *transaction, draft Draft, vs []pipeline.Verdict, fates []pipeline.Action) (r mail.Reply, rule string) {
	if s.room == nil {
		s.room = new(room)
	}
	defer func() { *s.room = room{} }()
	subs := s.room.subs[:0]
	for _, b := range s.bundles(tx, vs, fates) {
		subs = append(subs, queue.Submission{})
		if err := s.submission(tx, b, &subs[len(subs)-1]); err != nil {
			s.log.Error("the message could not be made ready", "id", s.name(), "error", err)
			return mail.Defer(51, 3, 0, "The message could not be made ready, try again later"), "edits"
		}
	}
	if len(subs) == 0 {
		return mail.Reply{}, "" // thrown away for all
	}
	if r := s.charge(tx); !r.IsZero() {
		return r, "allowance"
	}
	err := draft.Commit(tx.after, subs...)
	switch {
	case err == nil:
		return mail.Reply{}, ""
	case errors.Is(err, journal.ErrFull):
		s.refund(tx)
		return mail.Defer(52, 3, 1, "No room for the message, try again later"), "spool"
	}
	s.refund(tx)
	s.log.Error("the message could not be queued", "id", s.name(), "error", err)
	return mail.Defer(51, 3, 0, "The message could not be queued, try again later"), "spool"
}

// charge counts a message of one who logged in.
func (s *session) charge(tx *transaction) mail.Reply {
	if s.cfg.Allowance == nil || s.ps.Auth.User == "" {
		return mail.Reply{}
	}
	return s.cfg.Allowance.Charge(tx.ctx, s.ps.Auth.User, len(tx.To), tx.Trace.Size)
}

func (s *session) refund(tx *transaction) {
	if s.cfg.Allowance != nil && s.ps.Auth.User != "" {
		s.cfg.Allowance.Refund(tx.after, s.ps.Auth.User, len(tx.To), tx.Trace.Size)
	}
}

// bundles sorts recipients by the form in which they get the message, in the
// order of their first recipients.
func (s *session) bundles(tx *transaction, vs []pipeline.Verdict, fates []pipeline.Action) []*bundle {
	list := s.room.list[:0]
	var byForm map[string]*bundle
	if len(vs) > 1 {
		byForm = map[string]*bundle{}
	}
	for i := range vs {
		v := &vs[i]
		if fates[i] == pipeline.Discard {
			continue
		}
		hold := fates[i] == pipeline.Hold
		form := ""
		if byForm != nil { // with one recipient there is one form
			form = fmt.Sprintf("%v %t %q %s %q %q %v %s", hold, v.Ledger.Sign, v.Ledger.Keys, v.Ledger.Canon, sealing(tx, i, v), v.Ledger.Fields, v.Ledger.Edits, ownFindings(tx, i))
		}
		b := byForm[form]
		if b == nil {
			if b = &s.room.bundle; len(list) > 0 {
				b = new(bundle)
			}
			*b = bundle{ledger: &v.Ledger, first: i, hold: hold}
			if hold {
				b.why = v.Rule
			}
			if byForm != nil {
				byForm[form] = b
			}
			list = append(list, b)
		}
		s.addRecipient(b, &tx.To[i], v, fates[i])
	}
	return list
}

// ownFindings tells recipients apart for whom filters found something of their
// own to be put on top or changed.
func ownFindings(tx *transaction, i int) (form string) {
	for _, r := range tx.Results() {
		if r.To == i && len(r.Finding.Fields)+len(r.Finding.Edits) > 0 {
			form += fmt.Sprintf("%s %q %v;", r.Instance.Name, r.Finding.Fields, r.Finding.Edits)
		}
	}
	return form
}

// addRecipient adds where the mail of a recipient goes: its aliases resolved, or
// the quarantine, and the copies.
func (s *session) addRecipient(b *bundle, to *pipeline.Recipient, v *pipeline.Verdict, fate pipeline.Action) {
	r := mail.Recipient{Address: to.Address, Original: to.Original, Notify: to.Notify, Route: v.Ledger.Route, Tags: v.Ledger.Tags}
	if fate == pipeline.Reject {
		b.refused = append(b.refused, refusedRecipient{r, queue.Refusal{Reply: refusal(*v, mail.ID(s.name())), Why: "by policy: " + v.Rule}})
		return
	}
	if fate == pipeline.Quarantine {
		// Who was to have it is what we know, not what the client says (ORCPT): a
		// release goes there.
		r.Original = ""
		r.Address, r.Route, r.Notify = s.cfg.Quarantine(v.Into), "", mail.NotifyNever
		b.add(r, to.Address)
	} else if len(to.Acceptance.Final) == 0 {
		b.add(r, to.Address)
	}
	for _, final := range to.Acceptance.Final {
		if fate != pipeline.Quarantine {
			r.Address, r.Via = final, ""
			if final != to.Address && final.Key() != to.Address.Key() {
				r.Via = to.Acceptance.Domain
			}
			b.add(r, to.Address)
		}
	}
	for _, c := range v.Ledger.Copies {
		b.add(mail.Recipient{Address: c, Notify: mail.NotifyNever, Via: to.Acceptance.Domain}, c)
	}
}

// add adds a recipient once. One that stands for another address keeps that as
// its original recipient (RFC 3461 section 5.2.7).
func (b *bundle) add(r mail.Recipient, given mail.Address) {
	if r.Original == "" && r.Address != given && r.Address.Key() != given.Key() {
		r.Original = "rfc822;" + given.String()
	}
	if len(b.to) == 1 { // most messages have one recipient and need no index
		b.seen = map[string]bool{sameness(b.to[0]): true}
	}
	if len(b.to) > 0 {
		key := sameness(r)
		if b.seen[key] {
			return
		}
		b.seen[key] = true
	}
	b.to = append(b.to, r)
}

// sameness is equal of recipients to whom the message is to go once.
func sameness(r mail.Recipient) string {
	key := r.Address.Key() + " " + r.Route
	if r.Notify == mail.NotifyNever {
		key += " " + r.Original // each one's share of a quarantine can be released alone
	}
	return key
}

// submission makes a bundle what the queue takes.
func (s *session) submission(tx *transaction, b *bundle, sub *queue.Submission) error {
	sub.Envelope, sub.Hold, sub.Why = tx.env, b.hold, b.why
	sub.Envelope.To = b.to
	for _, r := range b.refused {
		if sub.Refused == nil {
			sub.Refused = map[int]queue.Refusal{}
		}
		sub.Refused[len(sub.Envelope.To)] = r.Refusal
		sub.Envelope.To = append(sub.Envelope.To, r.Recipient)
	}
	sub.Envelope.Received = s.cfg.Now()
	chain := s.chain(tx, b) // before the prefix, which has the result
	found := tx.Results()
	sub.Envelope.Standing = s.standing(tx, found)
	edits, err := s.edits(tx, b, found)
	if err != nil {
		return err
	}
	sub.Prefix = s.prefix(tx, b, found)
	if len(edits) > 0 || b.ledger.Sign || chain != "" {
		if err := s.finished(tx, b, sub, edits, chain); err != nil {
			return err
		}
	}
	if b.first == 0 || len(tx.Trace.Added) == 0 {
		tx.Trace.Added = fieldNames(sub.Prefix)
	}
	return nil
}

// finished makes the changes, and what needs the message with them: signature and
// seal.
func (s *session) finished(tx *transaction, b *bundle, sub *queue.Submission, edits []mail.Edit, chain string) error {
	msg, err := mail.NewMessage(sub.Prefix, edits, tx.Message.Blob)
	if err != nil {
		return err
	}
	if b.ledger.Sign {
		if msg, err = s.sign(tx, pipeline.Signing{Selectors: b.ledger.Keys, Canonicalization: b.ledger.Canon}, msg); err != nil {
			return err
		}
	}
	if chain != "" {
		if msg, err = s.seal(tx, b, chain, msg); err != nil {
			return err
		}
	}
	sub.Prefix, sub.Edits = msg.Prefix, msg.Edits
	return nil
}

// onlyReceived are the names of what is on top of most messages.
var onlyReceived = []string{"Received"}

func fieldNames(fs []mail.Field) []string {
	if len(fs) == 1 && fs[0].Name == onlyReceived[0] {
		return onlyReceived
	}
	names := make([]string, 0, len(fs))
	for _, f := range fs {
		names = append(names, f.Name)
	}
	return names
}
