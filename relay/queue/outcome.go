package queue

import (
	"time"
	"unique"

	"github.com/forepost/forepost/relay/mail"
)

// change is what a result makes of a recipient.
type change struct {
	result
	rcpt
	warn bool // a delay is to be reported now
}

// settle writes down what a job came to, and tells of it.
func (q *Queue) settle(j *job, env *mail.Envelope, rs []result) {
	if len(rs) == 0 {
		return
	}
	now := q.o.Now()
	cs := q.weigh(j, env, rs, now)
	reports := q.reports(j, env, cs, now)
	if len(reports) == 0 {
		q.settleQuietly(j.e, cs)
	} else if err := q.settleReported(j.e, cs, reports); err != nil {
		q.log.Error("a report could not be kept; its recipients are tried again", "id", env.ID, "error", err)
		q.unreport(j, cs, now)
		q.settleQuietly(j.e, cs)
	}
	q.tell(j, env, cs, now)
}

// weigh decides what becomes of each recipient.
func (q *Queue) weigh(j *job, env *mail.Envelope, rs []result, now time.Time) []change {
	s := q.o.Schedule(j.hop.Route)
	spread := s.jitter()
	cs := make([]change, len(rs))
	q.mu.Lock()
	for i, r := range rs {
		cs[i] = change{result: r, rcpt: j.e.rcpts[r.To]}
	}
	q.mu.Unlock()
	for i := range cs {
		c := &cs[i]
		c.attempts++
		c.next = 0
		c.last = c.remember(j.hop.Route)
		c.rcpt.state = c.verdict(s, now, env.Received)
		if c.rcpt.state != Waiting {
			continue
		}
		wait, atLeast := s.waitAfter(int(c.attempts), c.Reply, c.Remote)
		if atLeast {
			spread = max(spread, 2-spread)
		}
		c.next = millis(s.next(now, env.Received, wait, spread))
		if !c.warned && s.warns(now, env.Received) && env.To[c.To].Notify.Delay() && q.told(env) {
			c.warn, c.warned = true, true
		}
	}
	return cs
}

// verdict is the state that a result leads to.
func (r *result) verdict(s Schedule, now, received time.Time) State {
	switch {
	case r.state != Waiting:
		return r.state
	case r.Outcome == Delivered:
		return Done
	case r.Outcome == Hard:
		return Failed
	case s.expired(now, received):
		return Expired
	}
	return Waiting
}

// remember is what is kept of a result. What was said to a delivery goes to the
// trail only.
func (r *result) remember(route string) unique.Handle[last] {
	if r.Outcome == Delivered {
		return noLast
	}
	return unique.Make(last{reply: r.Reply, said: r.why, host: r.Host, route: route, remote: r.Remote})
}

// unreport makes changes of which nobody could be told into deferrals.
func (q *Queue) unreport(j *job, cs []change, now time.Time) {
	wait := q.o.Schedule(j.hop.Route).First
	for i := range cs {
		c := &cs[i]
		if c.rcpt.state == Failed || c.rcpt.state == Expired {
			c.rcpt.state, c.next = Waiting, millis(now.Add(wait))
		}
		if c.warn {
			c.warn, c.warned = false, false
		}
	}
}
