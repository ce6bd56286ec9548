package appliance

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/meter"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/trail"
)

var releases = meter.Counter("forepost_quarantine_releases_total", "Messages that were released from a quarantine.", "by")

// protected is the class of rules that a release does not pass over.
const protected = "malware"

// releaseKept puts a message back into the queue, for the recipient that it was
// kept from, after the policy was asked again. It leaves the quarantine when the
// queue has it: after a crash in between it is there twice, never not at all.
func (a *Appliance) releaseKept(ctx context.Context, k kept, force bool) error {
	if k.info.ID == "" || k.env.To[0].Address.IsNull() {
		return errors.New("it does not say whom it was for: read it with forepost quarantine show, and send it on by hand")
	}
	acc, err := a.directory.Accepts(ctx, k.env.To[0].Address)
	switch {
	case err != nil:
		return fmt.Errorf("whether the recipient exists cannot be told: %w", err)
	case acc.Ours && !acc.Known:
		return errors.New("the recipient does not exist any more")
	}
	id := a.ids.Session().Transaction(0)
	draft, err := a.keep.queue.Draft(id)
	if err != nil {
		return err
	}
	defer draft.Discard()
	if err := copyReleased(draft, k.msg); err != nil {
		return err
	}
	rec := a.record(k.info.ID)
	if why := a.objection(ctx, k, acc, draft.Blob(), rec); why != "" && !force {
		return errors.New(why)
	}
	return a.queueReleased(ctx, k, acc, id, draft, rec)
}

// copyReleased writes a message without what the store put on top of it: it begins
// with our own Received field.
func copyReleased(w io.Writer, m *mail.Message) error {
	r, err := m.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	var head strings.Builder
	if err := header(&head, r); err != nil {
		return err
	}
	at := int64(strings.Index("\r\n"+head.String(), "\r\nReceived: "))
	if _, err := r.Seek(max(at, 0), io.SeekStart); err != nil {
		return err
	}
	_, err = io.Copy(w, r)
	return err
}

// objection asks the policy in force about a message that a person wants to let
// go. That it was suspicious the person knows, so rules of spam and its like are
// passed over; what finds malware is not, and a rule that did not speak before is
// not either. "" is no objection.
func (a *Appliance) objection(ctx context.Context, k kept, acc mail.Acceptance, blob mail.Blob, rec *trail.Record) string {
	others := slices.DeleteFunc(slices.Clone(a.live().settings.Classes), func(c string) bool { return c == protected })
	v, ok := a.judgeAgain(ctx, k, acc, blob, rec, others)
	if !ok || v.Action == pipeline.None || v.Action == pipeline.Accept {
		return ""
	}
	without, _ := a.judgeAgain(ctx, k, acc, blob, rec, append(others, protected))
	if without.Rule == v.Rule && v.Rule == a.ruleOf(k) {
		return "" // the very rule that the person overrules, and it is not about malware
	}
	return fmt.Sprintf("scanned again, %s would %s it: forepost explain %s; --force releases it all the same", v.Rule, v.Action, k.info.ID)
}

// judgeAgain runs stage data of the policy of the listener that took the message;
// ok is false where there is no such listener any more.
func (a *Appliance) judgeAgain(ctx context.Context, k kept, acc mail.Acceptance, blob mail.Blob, rec *trail.Record, skip []string) (v pipeline.Verdict, ok bool) {
	s := &pipeline.Session{ID: a.ids.Session(), Start: a.o.Now(), Client: netip.IPv6Loopback(), Ledger: pipeline.Ledger{Skip: skip}}
	if rec != nil {
		s.Listener, s.Helo = rec.Listener, rec.Client.Helo
		if ip, err := netip.ParseAddr(rec.Client.IP); err == nil {
			s.Client = ip
		}
	}
	plan := a.PlanFor(s.Listener)
	if plan == nil {
		for _, ls := range a.live().settings.Listeners { // the trail has forgotten: the first that takes mail from outside
			if ls.Auth == "" {
				plan, s.Listener = a.PlanFor(ls.Name), ls.Name
				break
			}
		}
	}
	part, err := mime.Parse(blob, mime.Limits{})
	if plan == nil || err != nil {
		return v, false
	}
	tx := pipeline.NewTransaction(s)
	tx.ID, tx.From, tx.Message, tx.Part = s.ID.Transaction(0), k.env.From, &mail.Message{Blob: blob}, part
	tx.To = []pipeline.Recipient{{Address: k.env.To[0].Address, Acceptance: acc}}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	vs := plan.Run(ctx, pipeline.Data, tx)
	if len(vs) == 0 {
		return v, false
	}
	return vs[0], true
}

// queueReleased commits a message, and takes it out of the quarantine.
func (a *Appliance) queueReleased(ctx context.Context, k kept, acc mail.Acceptance, id mail.ID, draft *queue.Draft, rec *trail.Record) error {
	env := mail.Envelope{ID: id, From: k.env.From, RequireTLS: k.env.RequireTLS, Standing: standingOf(rec, k.env.From)}
	env.EightBit = true // may be: it is looked at where the next server takes 7 bits only
	if rec != nil {
		env.Listener = rec.Listener
	}
	to := k.env.To[0].Address
	finals := acc.Final
	if len(finals) == 0 {
		finals = []mail.Address{to}
	}
	for _, f := range finals {
		env.To = append(env.To, mail.Recipient{Address: f, Original: "rfc822;" + to.String()})
	}
	from := env.From.String()
	a.keep.trail.Record(&trail.Record{ID: env.ID, Time: a.o.Now(), Listener: env.Listener, From: &from, To: []string{to.String()}, Subject: k.info.Subject, Size: k.info.Size,
		Outcomes: []trail.Outcome{{To: []string{to.String()}, Action: "accept", Rule: "released from quarantine " + k.q.Name + ", where it was " + string(k.info.ID)}}})
	if err := draft.Commit(ctx, queue.Submission{Envelope: env}); err != nil {
		return err
	}
	a.keep.trail.Event(trail.Event{ID: k.info.ID, Time: a.o.Now(), What: "released", To: to.String(), Note: "from quarantine " + k.q.Name + " by a person, as " + string(env.ID)})
	releases.WithLabelValues("admin").Inc()
	return k.box.Expunge(ctx, []imapstore.UID{k.uid})
}

// standingOf is what speaks for the sender of a released message, by the record of
// how it came. That a person wants to read it says nothing of who sent it, so where
// the record has nothing for the sender, or is gone, no report goes there.
func standingOf(rec *trail.Record, from mail.Address) mail.Standing {
	if rec == nil {
		return mail.Doubted
	}
	if rec.Trusted || rec.Auth != "" {
		return mail.Vouched
	}
	best := mail.Doubted
	for _, f := range rec.Facts {
		result, _ := f.Values["result"].(string)
		switch name, _, _ := strings.Cut(f.Filter, "."); {
		case name == "spf" && result == "pass" && !from.IsNull():
			return mail.Vouched
		case name == "dkim":
			domains, _ := f.Values["domains"].([]string) // those whose signatures pass
			if slices.ContainsFunc(domains, func(d string) bool { return strings.EqualFold(d, from.Domain) }) {
				return mail.Vouched
			}
		case name == "spf" && (result == "fail" || result == "softfail"):
			best = mail.Disowned
		}
	}
	return best
}
