package queue

import (
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// clock moves entries whose time has come into the line of those to be routed.
func (q *Queue) clock() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(q.tick())
		select {
		case <-timer.C:
		case <-q.wake:
		case <-q.quit:
			return
		}
	}
}

// When many are due at once, they are moved in small steps with a breath between
// them, 20,000 a second at the most, and 3,000 while new messages come in, which are
// worth more of the processor than another look at what waits.
const (
	step      = 20
	aside     = 3
	breath    = time.Millisecond
	backlog   = 1000 // jobs that come back, in line
	rerouters = 4    // who route what comes back: it is work of the processor alone
)

// tick moves what is due, a bounded number at a time, and tells how long the
// clock may sleep.
func (q *Queue) tick() time.Duration {
	now := millis(q.o.Now())
	q.mu.Lock()
	defer q.mu.Unlock()
	n := step
	if q.fresh {
		n, q.fresh = aside, false
	}
	for range n {
		if len(q.timers) == 0 {
			return time.Hour
		}
		if l := q.lines.byKey[rerouting]; l != nil && l.length >= backlog {
			return breath
		}
		e := q.timers[0]
		if e.next > now {
			return time.Duration(e.next-now) * time.Millisecond
		}
		q.ready(e, nil, now)
	}
	return breath
}

// ready puts the due recipients of e in line; env is nil for those that were in
// the queue before. The caller holds mu.
func (q *Queue) ready(e *entry, env *mail.Envelope, now int64) {
	if to := e.due(now); len(to) > 0 {
		line, limit := routing, q.o.Workers
		if env == nil {
			line, limit = rerouting, rerouters
		} else {
			q.fresh = true
		}
		q.lines.put(line, limit, &job{e: e, env: env, to: to})
	}
	q.timers.set(e)
	q.kick()
}

// alarm makes the clock look again. It never blocks.
func (q *Queue) alarm() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}
