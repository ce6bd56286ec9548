package relay

import (
	"context"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/trail"
)

// NewJudge is the policy as the queue asks for it: stage Deliver of the plan of
// the listener that took the message. plans may answer nil, for no policy; it is
// asked with "" for mail of our own (DSNs, digests).
func NewJudge(plans func(listener string) pipeline.Plan) queue.Judge { return judge(plans) }

type judge func(listener string) pipeline.Plan

// Judge implements queue.Judge.
func (f judge) Judge(ctx context.Context, env mail.Envelope, to int, size int64, t queue.Try) queue.Ruling {
	plan := f(env.Listener)
	if plan == nil {
		return queue.Ruling{}
	}
	d := pipeline.Delivery{Attempt: t.Attempt, Age: t.Age, LastCode: t.LastCode, Host: t.Host}
	for _, v := range plan.Run(ctx, pipeline.Deliver, transaction(&env, to, size, d)) {
		if v.To == to || v.To < 0 {
			return queue.Ruling{Order: orders[v.Action], Reply: v.Reply, Rule: v.Rule, Route: v.Ledger.Route, Tags: v.Ledger.Tags}
		}
	}
	return queue.Ruling{}
}

// orders are the actions in the queue's words. A quarantine at this stage keeps
// the message in the queue: the quarantines are inbound's to name.
var orders = map[pipeline.Action]queue.Order{
	pipeline.Defer: queue.Postpone, pipeline.Drop: queue.Postpone, pipeline.Reject: queue.Refuse,
	pipeline.Discard: queue.Discard, pipeline.Hold: queue.Keep, pipeline.Quarantine: queue.Keep,
}

// transaction is what stage Deliver may know: the envelope, tags, the size and
// delivery.*. The session is gone, perhaps with the process that had it.
func transaction(env *mail.Envelope, to int, size int64, d pipeline.Delivery) *pipeline.Transaction {
	tx := pipeline.NewTransaction(&pipeline.Session{ID: env.ID.Session(), Start: env.Received, Listener: env.Listener})
	tx.ID, tx.From, tx.SMTPUTF8 = env.ID, env.From, env.SMTPUTF8
	tx.Declared, tx.Current, tx.Delivery = size, to, d
	tx.Trace = &trail.Record{ID: env.ID}
	tx.To = make([]pipeline.Recipient, len(env.To))
	for i, r := range env.To {
		tx.To[i] = pipeline.Recipient{
			Address: r.Address, Original: r.Original, Notify: r.Notify,
			Ledger: pipeline.Ledger{Tags: r.Tags, Route: r.Route},
		}
	}
	return tx
}
