package queue

import (
	"math/rand/v2"
	"slices"
	"time"
	"unique"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// A destination where nobody answers is tried with one message, not with each of
// the thousand that wait for it: when an attempt met nobody, the others are put
// off until a while later, and the first of them tries again. That is kept on the
// disk for a message that was never tried, and only once.

// longestPause is the longest that a destination is left alone for: the time that
// mail may wait after a host has come back.
const longestPause = 10 * time.Minute

// quickLooks are how long a destination is left alone that answered until now: most
// are started anew, and are back in seconds. After them it is as long as the schedule
// has it.
var quickLooks = [...]time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second}

// memory is how long it is known that a destination answers, or not.
const memory = time.Hour

// meet notes whom the attempt met.
func (j *job) meet(rs []result) {
	j.met = nobody
	for i := range rs {
		switch r := &rs[i]; {
		case r.Outcome == Soft && r.Remote && tooMany(r.Reply):
			j.met, j.last = busy, r.remember(j.hop.Route)
			return
		case !r.absent():
			j.met = somebody
		}
	}
	j.last = rs[0].remember(j.hop.Route)
}

func (r *result) absent() bool {
	return r.Outcome == Soft && absent(r.Reply, r.Remote)
}

// absent tells of a deferral whether nobody was reached who could have taken the
// message: RFC 3463 X.4.1 (no answer), X.4.3 (the DNS), X.4.4 (no route), found out
// by us and not told by a server. A server for which any of us is too many is as good
// as absent.
func absent(r mail.Reply, remote bool) bool {
	if remote {
		return tooMany(r)
	}
	s := r.Subject
	return r.Class == mail.Transient && s[0] == 4 && (s[1] == 1 || s[1] == 3 || s[1] == 4)
}

// pause is how long the job's hop is left alone now: less than the message that
// found out waits, so that it is in time. The caller holds mu.
func (q *Queue) pause(j *job) time.Duration {
	if j.met != nobody && j.met != busy {
		return 0
	}
	l := j.line
	if l.looks > 0 && j.met == nobody {
		return min(quickLooks[len(quickLooks)-l.looks], q.alone(j.hop.Route, 1))
	}
	return q.alone(j.hop.Route, l.fails+1)
}

// alone is how long a hop is left alone for after so many attempts in a row.
func (q *Queue) alone(route string, fails int) time.Duration {
	return min(q.o.Schedule(route).wait(fails)*8/10, longestPause)
}

// bar is why and until when a hop is not tried.
type bar struct {
	until int64
	last  unique.Handle[last]
}

// barred tells whether a hop is not to be tried now. The caller holds mu.
func (q *Queue) barred(hop Hop, now int64) (bar, bool) {
	if p, ok := q.paused[hop.Route]; ok && now < p.until {
		return bar{p.until, p.last}, true
	}
	if l := q.lines.byKey[hop.Key]; l != nil && now < l.until {
		return bar{l.until, l.last}, true
	}
	return bar{}, false
}

// throng tells whether there is no sense in another job for a hop: it fails, and
// one that will try again is in its line already. The caller holds mu.
func (q *Queue) throng(j *job, now int64) (bar, bool) {
	if b, ok := q.barred(j.hop, now); ok {
		return b, true
	}
	if l := j.e.rcpts[j.to[0]].last; absent(l.Value().reply, l.Value().remote) {
		q.lines.recall(j.hop.Key, l)
	}
	l := q.lines.byKey[j.hop.Key]
	if l == nil || l.class != failing || l.idle() {
		return bar{}, false
	}
	return bar{now + q.alone(j.hop.Route, max(1, l.fails)).Milliseconds(), l.last}, true
}

// Those that are put off wait for somebody to be met, which wakes them, or else this
// long at least (less on a route with short waits): a million that look again every
// minute would be work.
const (
	leastOff = 2 * time.Minute
	wakeOff  = 200  // are woken by each attempt that meets somebody, so that none takes long
	mostOff  = 1000 // of a line; more are kept only of entries with one recipient, which stand there once
)

// meetAgain wakes some of what was put off, those first that were first. The caller
// holds mu.
func (q *Queue) meetAgain(l *line, now int64) {
	woken := l.off[:min(wakeOff, len(l.off))]
	l.off = l.off[len(woken):]
	for _, e := range woken {
		e.off = false
		if q.entries[e.key] != e {
			continue
		}
		for i := range e.rcpts {
			if r := &e.rcpts[i]; r.state == Waiting && absent(r.last.Value().reply, r.last.Value().remote) {
				r.next = min(r.next, now)
			}
		}
		q.timers.set(e)
	}
	clear(woken)
	q.alarm()
}

// noteOff remembers that e is to be woken when somebody is met. The caller holds mu.
func (q *Queue) noteOff(l *line, e *entry) {
	switch {
	case e.off || len(e.rcpts) > 1 && len(l.off) >= mostOff:
		return
	case len(l.off) == cap(l.off) && len(l.off) >= mostOff: // those that have gone meanwhile
		l.off = slices.DeleteFunc(l.off, func(e *entry) bool { return q.entries[e.key] != e })
		l.off = slices.Grow(l.off, 1+len(l.off)/4)
	}
	e.off = len(e.rcpts) == 1
	l.off = append(l.off, e)
}

// putOff makes a job's recipients wait until the bar has gone. It tells whether it
// did: not where the message is too old, or its delay is to be reported. The caller
// holds mu.
func (q *Queue) putOff(j *job, b bar, now time.Time) bool {
	e, s := j.e, q.o.Schedule(j.hop.Route)
	if q.entries[e.key] != e {
		return true
	}
	received := time.UnixMilli(e.received)
	if s.expired(now, received) {
		return false
	}
	spread := min(b.until-millis(now), longestPause.Milliseconds()/2)
	if l := q.lines.byKey[j.hop.Key]; l != nil && !b.last.Value().paused {
		least := min(leastOff, 4*q.alone(j.hop.Route, max(1, l.fails)))
		b.until = max(b.until, millis(now.Add(least)))
		spread = max(spread, least.Milliseconds())
		q.noteOff(l, e)
	}
	var told []int32
	next := min(b.until+rand.Int64N(1+spread), millis(received.Add(s.Expire)))
	for _, t := range j.to {
		r := &e.rcpts[t]
		if r.state != Ready {
			continue
		}
		if s.warns(now, received) && !r.warned && j.env != nil && j.env.To[t].Notify.Delay() && q.told(j.env) {
			return false
		}
		if r.attempts == 0 || b.last.Value().paused {
			if r.last != b.last {
				told = append(told, t)
			}
			r.last = b.last
		}
		r.state, r.next = Waiting, next
	}
	q.noteReason(e, told)
	q.timers.set(e)
	if e.at == 0 {
		q.alarm()
	}
	return true
}

// noteReason appends why recipients wait that were not tried, so that it is known
// after a restart, and parks the dress where many have theirs in memory: or new
// messages for others would find it crowded. The caller holds mu; Append does not wait.
func (q *Queue) noteReason(e *entry, to []int32) {
	var b journal.Batch
	parked, done := e.parked, (func(error))(nil)
	if e.dress != nil && !e.parking && q.dressed >= crowded/2 {
		if w, err := q.park(&b, e.dress); err == nil {
			e.parking, parked = true, w.ID()
			b.Then(func() { q.parkDone(e, w.ID()) })
			done = func(err error) {
				if err != nil { // perhaps at once, while mu is held
					go q.parkFailed(e, w, err)
				}
			}
		}
	}
	if len(to) == 0 && parked == e.parked {
		return
	}
	b.Add(kindProgress, progressRecord(e, e.rcpts, parked, to))
	q.j.Append(&b, done)
}

// keepBack is for a job whose turn has come while its hop is barred: it is put
// off, or gets what the hop's last attempt came to as its own result.
func (q *Queue) keepBack(j *job) (rs []result, barred bool) {
	now := q.o.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	b, barred := q.barred(j.hop, millis(now))
	if !barred || q.putOff(j, b, now) {
		return nil, barred
	}
	l := b.last.Value()
	return all(j.to, Attempt{Outcome: Soft, Reply: l.reply, Host: l.host, Remote: l.remote}), true
}

// pausedReply is the reason of what waits for a paused route.
func pausedReply(route, why string) mail.Reply {
	text := "route " + route + " is paused"
	if why != "" {
		text += ": " + why
	}
	return mail.Defer(51, 3, 2, text)
}
