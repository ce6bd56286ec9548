package inbound

import (
	"fmt"
	"slices"
	"strings"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// record is one of the trail with room for what most of them hold.
type record struct {
	trail.Record
	rcpts    [1]trail.Rcpt
	outcomes [1]trail.Outcome
	to       [1]string
}

// toOne is a list with one recipient.
func (r *record) toOne(name string) []string {
	if r.to[0] != "" {
		return []string{name}
	}
	r.to[0] = name
	return r.to[:]
}

// newRecord begins what the trail keeps of a transaction, or of a session.
func (s *session) newRecord(id mail.ID) *record {
	rec := &record{}
	rec.ID, rec.Time, rec.Listener, rec.Auth = id, s.cfg.Now(), s.cfg.Name, s.ps.Auth.User
	rec.Client.Helo, rec.Client.TLS, rec.Trusted, rec.Verified = s.ps.Helo, tlsText(s.ps.TLS), s.ps.Trusted, s.ps.TLS.Verified
	for _, a := range s.ps.Auth.Addresses[:min(len(s.ps.Auth.Addresses), maxOwn)] {
		rec.Own = append(rec.Own, a.String())
	}
	if s.ps.Client.IsValid() {
		rec.Client.IP = s.ip
	}
	return rec
}

func tlsText(t pipeline.TLS) string {
	if !t.On {
		return ""
	}
	return t.Version + ", " + t.Cipher
}

// outcome notes what became of recipients.
func (s *session) outcome(tx *transaction, o trail.Outcome) {
	tx.Trace.Outcomes = inRoom(tx.Trace.Outcomes, tx.rec.outcomes[:], o)
}

// refuse notes a refusal, with the reply that was given, and counts it. to is
// nil where it was the transaction's.
func (s *session) refuse(tx *transaction, to []string, v pipeline.Verdict, r mail.Reply) {
	s.noted = true
	s.tally(v.Action)
	if tx.refused++; tx.refused > maxRefused {
		return
	}
	s.outcome(tx, trail.Outcome{To: to, Action: v.Action.String(), Rule: v.Rule, Reply: r.String()})
	s.log.Info("refused", "id", string(tx.Transaction.ID), "from", tx.Transaction.From.String(), "to", strings.Join(to, ","),
		"action", v.Action.String(), "rule", v.Rule, "reply", r.String())
	s.notify(tx, v, v.Action.String(), to)
}

// tally counts what became of a message; what is only rehearsed does not count.
func (s *session) tally(a pipeline.Action) {
	if s.conn != nil {
		messages.WithLabelValues(s.cfg.Name, a.String()).Inc()
	}
}

// recordMail is the trail of a MAIL that was refused before any policy was
// asked. from is nil where it could not be read.
func (s *session) recordMail(from *mail.Address, rule, reply string) {
	s.noted = true
	rec := s.newRecord(s.current)
	if from != nil {
		path := from.String()
		rec.From = &path
	}
	rec.Outcomes = []trail.Outcome{{Action: pipeline.Reject.String(), Rule: rule, Reply: reply}}
	s.cfg.Trail.Record(&rec.Record)
	s.tally(pipeline.Reject)
	s.log.Info("refused", "id", string(s.current), "rule", rule, "reply", reply)
}

// refused notes refusals of the wire and of go-smtp, that is of syntax and of
// declared sizes: those of the session are noted where they are made.
func (s *session) refused(verb, reply string) {
	noted := s.noted
	s.noted = false
	switch {
	case noted || s.current == "":
	case verb == "MAIL" && s.tx == nil:
		s.recordMail(nil, "builtin.syntax", reply)
		s.noted = false
	case verb == "RCPT" && s.tx != nil:
		s.tx.touched = true
		if s.tx.refused++; s.tx.refused <= maxRefused {
			s.outcome(s.tx, trail.Outcome{Action: pipeline.Reject.String(), Rule: "builtin.syntax", Reply: reply})
		}
	}
}

// write completes the record and gives it to the trail.
func (s *session) write(tx *transaction) {
	rec := tx.Trace
	for i := range rec.Outcomes {
		if rec.To == nil { // most have one outcome, and share its list
			rec.To = slices.Clip(rec.Outcomes[i].To)
			continue
		}
		rec.To = append(rec.To, rec.Outcomes[i].To...)
	}
	found := tx.Results()
	tx.keepFacts(found, func(int) bool { return true })
	rec.Client.Name = clientName(tx, found)
	s.cfg.Trail.Record(rec)
}

// failures are the results of authentication that facts do not tell one by one:
// a message can have several signatures, and reports to their domains name all.
func failures(rs []pipeline.AuthResult) (list []string) {
	for _, r := range rs {
		if r.Result == "pass" || r.Result == "none" {
			continue
		}
		list = append(list, r.String())
	}
	return list
}

// maxFact is how large a fact may be, in octets, for the record to keep it: a
// record is small whatever the message is.
const maxFact = 8 << 10

// told are facts as the record keeps them. left are the names of those that are
// too large.
func told(facts pipeline.Facts) (out map[string]any, left []string) {
	out = make(map[string]any, len(facts))
	for k, v := range facts {
		size := 0
		switch x := v.(type) {
		case string:
			size = len(x)
		case []string:
			for _, s := range x {
				size += len(s)
			}
		}
		if size > maxFact {
			left = append(left, k)
			continue
		}
		out[k] = v
	}
	slices.Sort(left)
	return out, left
}

// points is a score for people: "7.7".
func points(p pipeline.Points) string {
	if p == 0 {
		return ""
	}
	return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", float64(p)/1000), "0"), ".")
}

// names are the recipients as text.
func (tx *transaction) names() []string {
	var names []string
	for _, n := range tx.notes[:len(tx.To)] {
		names = append(names, n.name)
	}
	return names
}
