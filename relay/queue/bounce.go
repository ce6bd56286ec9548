package queue

import (
	"context"
	"unique"

	"github.com/forepost/forepost/relay/mail"
)

// What is to be returned is marked so, durably, before it is: the mark is a last
// reply that no server said. It then goes the way of what waits, up to the routing.

// Bounce returns recipients to their senders, who get a report with the reply, as
// if a server had refused them for good. The answer is durable; the reports follow
// at once.
func (q *Queue) Bounce(ctx context.Context, f Filter, why mail.Reply) (int, error) {
	why.Class = mail.Permanent
	now := millis(q.o.Now())
	return q.act(ctx, f, "bounce ordered", why.Text, func(r *rcpt) bool {
		if r.state.settled() || r.state == Active {
			return false
		}
		l := r.last.Value()
		r.last = unique.Make(last{reply: why, route: l.route, doomed: true})
		r.state, r.next = Waiting, now
		return true
	})
}

// doomed takes the recipients that are to be returned out of a job (their places
// hold -1) and gives them their results.
func (q *Queue) doomed(j *job) (rs []result) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, t := range j.to {
		l := j.e.rcpts[t].last.Value()
		if !l.doomed {
			continue
		}
		rs = append(rs, result{
			Attempt: Attempt{To: int(t), Outcome: Hard, Reply: l.reply}, doomed: true, why: l.said,
		})
		j.to[i] = -1
	}
	return rs
}
