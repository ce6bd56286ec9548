package inbound

import (
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// Notice is what a rule wants people to hear about a message (`notify`).
type Notice struct {
	ID      mail.ID
	Action  string // quarantine, hold, reject
	Rule    string
	Into    string // the quarantine
	From    mail.Address
	To      []string
	Subject string         // "" before the message came
	Tell    []mail.Address // who is to hear of it
}

// Notifier is told when a verdict asks for a notice. It does not block.
type Notifier interface{ Notify(Notice) }

// notify tells of a verdict for some recipients. Reports without a sender that
// were made by a program tell of nothing: a notice about a notice would never
// end.
func (s *session) notify(tx *transaction, v pipeline.Verdict, action string, to []string) {
	if s.cfg.Notifier == nil || len(v.Notify) == 0 || tx.Transaction.From.IsNull() && byProgram(tx) {
		return
	}
	s.cfg.Notifier.Notify(Notice{ID: tx.Transaction.ID, Action: action, Rule: v.Rule, Into: v.Into, From: tx.Transaction.From,
		To: to, Subject: tx.Trace.Subject, Tell: v.Notify})
}

// byProgram tells whether a message says that no person wrote it (RFC 3834
// section 5).
func byProgram(tx *transaction) bool {
	if tx.Part == nil {
		return true // nobody knows yet
	}
	word := tx.Part.Get("Auto-Submitted")
	return word != "" && word != "no"
}

// notifyAll tells of the verdicts about a message that was taken, once for each
// rule.
func (s *session) notifyAll(tx *transaction, vs []pipeline.Verdict, fates []pipeline.Action) {
	var told map[string]bool
	for i := range vs {
		v := &vs[i]
		if len(v.Notify) == 0 { // most ask for none
			continue
		}
		key := fateName(fates[i]) + " " + v.Rule
		if told[key] {
			continue
		}
		if told == nil {
			told = map[string]bool{}
		}
		told[key] = true
		var to []string
		for j, w := range vs {
			if w.Rule == v.Rule && fates[j] == fates[i] {
				to = append(to, tx.notes[j].name)
			}
		}
		s.notify(tx, *v, fateName(fates[i]), to)
	}
}
