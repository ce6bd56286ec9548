package queue

import (
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// tag notes what policy tagged a recipient with at this attempt.
func (j *job) tag(t int32, tags []string) {
	if len(tags) == 0 {
		return
	}
	if j.tags == nil {
		j.tags = map[int32][]string{}
	}
	j.tags[t] = tags
}

// judge asks the policy about each recipient, once an attempt, and returns
// those that are to be tried now. Those that it sends elsewhere get in line
// there.
func (q *Queue) judge(j *job, env *mail.Envelope, size int64) (rs []result, to []int32) {
	if q.o.Judge == nil || j.routes != nil {
		return nil, j.to
	}
	var away job
	age := q.o.Now().Sub(env.Received)
	for _, t := range j.to {
		v := q.o.Judge.Judge(q.ctx, *env, int(t), size, q.delivery(j, t, age))
		j.tag(t, v.Ledger.Tags)
		switch r, ok := verdict(v, int(t)); {
		case ok:
			rs = append(rs, r)
		case v.Ledger.Route != "" && v.Ledger.Route != env.To[t].Route:
			away.to = append(away.to, t)
			away.routes = append(away.routes, v.Ledger.Route)
		default:
			to = append(to, t)
		}
	}
	away.tags = j.tags
	q.divert(j, &away)
	return rs, to
}

// divert puts recipients into the line of those to be routed once more.
func (q *Queue) divert(j, away *job) {
	if len(away.to) == 0 {
		return
	}
	away.e = j.e
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range away.to {
		if r := &j.e.rcpts[t]; r.state == Active {
			r.state = Ready
		}
	}
	q.lines.put(routing, q.o.Workers, away)
}

func (q *Queue) delivery(j *job, t int32, age time.Duration) pipeline.Delivery {
	q.mu.Lock()
	defer q.mu.Unlock()
	r := &j.e.rcpts[t]
	l := r.last.Value()
	d := pipeline.Delivery{Attempt: int(r.attempts) + 1, Age: age, Host: l.host}
	if !l.reply.IsZero() {
		d.LastCode = l.reply.Code()
	}
	return d
}

// verdict turns what policy says into a result; ok is false where the attempt
// is to be made.
func verdict(v pipeline.Verdict, to int) (r result, ok bool) {
	r = result{Attempt: Attempt{To: to, Reply: v.Reply}, why: "by policy: " + v.Rule}
	switch v.Action {
	case pipeline.Defer, pipeline.Drop:
		r.Outcome = Soft
		if r.Reply.IsZero() {
			r.Reply = mail.Defer(51, 7, 1, "deferred by policy")
		}
	case pipeline.Reject:
		r.Outcome = Hard
		if r.Reply.IsZero() {
			r.Reply = mail.Refuse(50, 7, 1, "refused by policy")
		}
	case pipeline.Discard:
		r.state = Discarded
	case pipeline.Hold, pipeline.Quarantine: // the quarantines are inbound's to name
		r.state = Held
	default:
		return r, false
	}
	return r, true
}
