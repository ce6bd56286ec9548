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
	told := q.told(env)
	var due [4][]dsn.Recipient
	some := false
	for i := range cs {
		a, ok := action(&cs[i], env.To[cs[i].To].Notify, j.hop)
		if ok && !told {
			suppressed.WithLabelValues(a.String()).Inc()
			continue
		}
		if ok {
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
		ID: id, To: []mail.Recipient{{Address: env.From}}, RequireTLS: env.RequireTLS, // RFC 8689 section 4.3
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

// told tells whether anybody hears of what becomes of a message: reports to a forged
// sender hit somebody who sent nothing.
func (q *Queue) told(env *mail.Envelope) bool {
	return !env.From.IsNull() && (q.o.Told == nil || q.o.Told(env.Standing))
}

// silence says why nobody is told of a failure, "" where somebody is.
func (q *Queue) silence(env *mail.Envelope, c *change) string {
	switch {
	case c.rcpt.state != Failed && c.rcpt.state != Expired:
		return ""
	case env.From.IsNull():
		return "no report: the sender is null"
	case !env.To[c.To].Notify.Failure():
		return "no report: the sender asked for none"
	case !q.told(env) && env.Standing == mail.Disowned:
		return "no report: SPF says that who brought the message may not send for " + env.From.Domain + " (bounces)"
	case !q.told(env):
		return "no report: nothing speaks for the sender (bounces)"
	}
	return fmt.Sprintf("reported to %s", env.From)
}
