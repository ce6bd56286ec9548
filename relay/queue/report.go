package queue

import (
	"fmt"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue/dsn"
)

// report is a DSN on its way into the queue.
type report struct {
	draft *Draft
	env   mail.Envelope
	entry *entry
}

// reports writes the DSNs that changes ask for: one for each action, whatever
// the number of recipients. One that cannot be written is logged, and its
// recipients are settled without: trying for ever would tell the sender nothing.
func (q *Queue) reports(j *job, env *mail.Envelope, cs []change, now time.Time) []*report {
	if env.From.IsNull() { // RFC 3464 section 2: never about a report
		return nil
	}
	var due [4][]dsn.Recipient
	some := false
	for i := range cs {
		if a, ok := action(&cs[i], env.To[cs[i].To].Notify, j.hop); ok {
			due[a] = append(due[a], q.reported(j, env, &cs[i], now))
			some = true
		}
	}
	if !some {
		return nil
	}
	var rs []*report
	for a, to := range due {
		if len(to) == 0 {
			continue
		}
		r, err := q.compose(j.e, dsn.Action(a), env, to, now)
		if err != nil {
			q.log.Error("a report could not be written", "id", env.ID, "to", env.From.String(), "error", err)
			continue
		}
		rs = append(rs, r)
	}
	return rs
}

// action is what is to be reported of a change, RFC 3461 section 4.1.
func action(c *change, n mail.Notify, hop Hop) (dsn.Action, bool) {
	switch c.rcpt.state {
	case Failed, Expired:
		return dsn.Failed, n.Failure()
	case Done:
		if hop.Final {
			return dsn.Delivered, n.Success()
		}
		return dsn.Relayed, n.Success() && !c.DSN
	}
	return dsn.Delayed, c.warn
}

func (q *Queue) reported(j *job, env *mail.Envelope, c *change, now time.Time) dsn.Recipient {
	return dsn.Recipient{
		Recipient: env.To[c.To],
		Reply:     c.Reply,
		Host:      c.Host,
		Remote:    c.Remote,
		Expired:   c.rcpt.state == Expired,
		Last:      now,
		Until:     env.Received.Add(q.o.Schedule(j.hop.Route).Expire),
	}
}

// compose writes a DSN into a draft.
func (q *Queue) compose(e *entry, a dsn.Action, env *mail.Envelope, to []dsn.Recipient, now time.Time) (*report, error) {
	msg, err := q.message(e)
	if err != nil {
		return nil, err
	}
	id := q.o.IDs.Session().Transaction(0)
	d := &Draft{q: q, id: id, w: q.j.NewBlob()}
	form, err := dsn.Write(d, &dsn.Report{
		Action: a, ID: id, Hostname: q.o.Hostname, From: q.o.Postmaster, Time: now,
		Envelope: *env, Recipients: to, Original: msg,
	})
	if err != nil {
		d.Discard()
		return nil, err
	}
	r := &report{draft: d, env: mail.Envelope{
		ID: id, To: []mail.Recipient{{Address: env.From}},
		EightBit: form.EightBit, SMTPUTF8: form.SMTPUTF8, Received: now,
	}}
	r.entry = d.entry(0, &r.env, &Submission{Prefix: q.sign(d)})
	return r, nil
}

// sign signs a DSN; one that cannot be signed goes out all the same.
func (q *Queue) sign(d *Draft) []mail.Field {
	if q.o.Signer == nil {
		return nil
	}
	fs, err := q.o.Signer.Sign(q.ctx, q.o.Postmaster.Domain, &mail.Message{Blob: d.Blob()})
	if err != nil {
		q.log.Warn("a report goes out without a signature", "id", d.id, "error", err)
		return nil
	}
	return fs
}

// silence says why nobody is told of a failure, "" where somebody is.
func silence(env *mail.Envelope, c *change) string {
	switch {
	case c.rcpt.state != Failed && c.rcpt.state != Expired:
		return ""
	case env.From.IsNull():
		return "no report: the sender is null"
	case !env.To[c.To].Notify.Failure():
		return "no report: the sender asked for none"
	}
	return fmt.Sprintf("reported to %s", env.From)
}
