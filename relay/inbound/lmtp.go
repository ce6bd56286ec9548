package inbound

import (
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// taken is a recipient that RCPT took: in LMTP each of them is answered behind
// the data, in this order (RFC 2033 section 4.2).
type taken struct {
	path string
	at   int // of transaction.To; -1 for one whose mail is thrown away
}

// answer is a reply of the wire that may also be a 250.
type answer struct {
	code           int
	enhanced, text string
}

// judgeEach is judgeMessage for LMTP: each recipient hears its own verdict, so
// nobody's deferral or rejection is anybody else's affair, and nothing has to
// become a bounce.
func (s *session) judgeEach(tx *transaction, draft Draft, vs []pipeline.Verdict) error {
	fates := eachFate(vs)
	r, rule := s.accept(tx, draft, vs, keptOnly(fates))
	replies := make([]answer, len(vs))
	kept := false
	for i, v := range vs {
		if !r.IsZero() && !fates[i].Refuses() {
			v = pipeline.Verdict{Action: actionOf(r), Reply: r, Rule: "builtin." + rule}
			fates[i] = v.Action
		}
		if !fates[i].Refuses() {
			kept = true
			s.took(tx, i, &v, fates[i])
			s.notify(tx, v, fateName(fates[i]), []string{tx.notes[i].name})
			replies[i] = s.queued()
			continue
		}
		said := eachRefusal(v, tx.Transaction.ID)
		s.refuse(tx, []string{tx.notes[i].name}, v, said)
		tx.Settle(tx.after, i, false)
		replies[i] = replied(said)
	}
	s.tell(tx, replies)
	s.settled(tx, vs, kept)
	return nil // the wire has the replies
}

// eachFate is what becomes of each recipient where each has a reply of its own.
func eachFate(vs []pipeline.Verdict) []pipeline.Action {
	fates := make([]pipeline.Action, len(vs))
	for i, v := range vs {
		if fates[i] = v.Action; !v.Action.Refuses() {
			fates[i] = fate(&v)
		}
	}
	return fates
}

// keptOnly are the fates of those that get the message; others have no part in
// what is queued.
func keptOnly(fates []pipeline.Action) []pipeline.Action {
	out := make([]pipeline.Action, len(fates))
	for i, f := range fates {
		if out[i] = f; f.Refuses() {
			out[i] = pipeline.Discard
		}
	}
	return out
}

// eachRefusal never ends the connection: others of the message are still to be
// answered.
func eachRefusal(v pipeline.Verdict, id mail.ID) mail.Reply {
	r := refusal(v, id)
	if r.Code() == 421 {
		r.Basic = 51
	}
	return r
}

// tell hands the wire a reply for each recipient that RCPT took. replies are by
// transaction.To.
func (s *session) tell(tx *transaction, replies []answer) {
	list := make([]answer, 0, len(tx.taken))
	for _, t := range tx.taken {
		a := s.queued() // what is thrown away is not told
		if t.at >= 0 {
			a = replies[t.at]
		}
		a.text = "<" + t.path + "> " + a.text
		list = append(list, a)
	}
	s.conn.wire.each = list
}

// tellAll is tell of the same refusal for all. A 421 is said once: the end of
// the data was not reached, or nothing is taken any more.
func (s *session) tellAll(tx *transaction, r mail.Reply) {
	if s.cfg.Protocol != LMTP || r.Code() == 421 {
		return
	}
	list := make([]answer, 0, len(tx.taken))
	for _, t := range tx.taken {
		a := replied(r)
		a.text = "<" + t.path + "> " + a.text
		list = append(list, a)
	}
	s.conn.wire.each = list
}

// queuedAs is the beginning of the reply to a message that was taken, as the
// record has it; queued is the reply.
const queuedAs = "250 2.0.0 Queued as "

func (s *session) queued() answer { return answer{250, "2.0.0", s.reply[len("250 2.0.0 "):]} }

func replied(r mail.Reply) answer { return answer{r.Code(), r.Enhanced(), r.Text} }
