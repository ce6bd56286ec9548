package queue

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"github.com/forepost/forepost/relay/mail"
)

// guard runs a job. A panic of a transport, a router or a policy costs an
// attempt, not the process.
func (q *Queue) guard(j *job) {
	defer func() {
		if p := recover(); p != nil {
			q.log.Error("an attempt panicked: please report this", "id", j.e.id(), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			if env, err := decodeEnvelope([]byte(j.e.env)); err == nil {
				q.settle(j, &env, all(j.to, soft("a defect of ours: the log has more")))
			}
		}
	}()
	q.run(j)
}

// run does one job: recipients are told their line, or an attempt is made.
func (q *Queue) run(j *job) {
	env := j.env
	if env == nil {
		v, err := decodeEnvelope([]byte(j.e.env))
		if env = &v; err != nil { // it was decoded when it came in
			q.settle(j, env, all(j.to, soft(err.Error())))
			return
		}
	}
	if j.line.routes() {
		q.route(j, env)
		return
	}
	q.attempt(j, env)
}

// result is what an attempt came to for one recipient of an entry.
type result struct {
	Attempt        // To is the index in the entry
	state   State  // Waiting: to be tried again
	why     string // of Held and Discarded
	tried   bool   // a transport was asked
	doomed  bool   // nor will one be, should this come to nothing
}

func soft(text string) Attempt {
	return Attempt{Outcome: Soft, Reply: mail.Defer(51, 3, 0, text)}
}

// all gives every recipient the same attempt.
func all(to []int32, a Attempt) []result {
	rs := make([]result, len(to))
	for i, t := range to {
		rs[i] = result{Attempt: a}
		rs[i].To = int(t)
	}
	return rs
}

// route finds the hop of each recipient and puts those with the same one into
// its line together. Those that cannot be routed have had their attempt.
func (q *Queue) route(j *job, env *mail.Envelope) {
	failed, jobs := q.doomed(j), []*job(nil)
	for i, t := range j.to {
		if t < 0 {
			continue
		}
		r := env.To[t]
		if j.routes != nil && j.routes[i] != "" {
			r.Route = j.routes[i]
		}
		hop, transport, err := q.o.Router.Route(q.ctx, r)
		if err != nil {
			failed = append(failed, result{Attempt: refused(int(t), err)})
			continue
		}
		to := jobFor(&jobs, j, hop, transport)
		to.to = append(to.to, t)
		if j.routes != nil {
			to.routes = append(to.routes, j.routes[i])
		}
	}
	now := q.o.Now()
	q.mu.Lock()
	for _, n := range jobs {
		n.env = env
		if b, ok := q.throng(n, millis(now)); ok && q.putOff(n, b, now) {
			continue
		}
		q.lines.put(n.hop.Key, n.hop.Limit, n)
	}
	q.mu.Unlock()
	q.settle(j, env, failed)
}

// jobFor finds or makes the job of a hop.
func jobFor(jobs *[]*job, from *job, hop Hop, t Transport) *job {
	for _, j := range *jobs {
		if j.hop.Key == hop.Key {
			return j
		}
	}
	j := &job{e: from.e, hop: hop, transport: t, tags: from.tags}
	*jobs = append(*jobs, j)
	return j
}

// refused is an attempt that ended with an error before anybody was asked.
func refused(to int, err error) Attempt {
	var r mail.Reply
	switch {
	case !errors.As(err, &r):
		return Attempt{To: to, Outcome: Soft, Reply: mail.Defer(51, 4, 4, "no route could be found: "+err.Error())}
	case r.Class == mail.Permanent:
		return Attempt{To: to, Outcome: Hard, Reply: r}
	}
	return Attempt{To: to, Outcome: Soft, Reply: r}
}

// attempt asks the policy, then the transport.
func (q *Queue) attempt(j *job, env *mail.Envelope) {
	if rs, barred := q.keepBack(j); barred {
		q.settle(j, env, rs)
		return
	}
	if !q.activate(j) {
		q.settle(j, env, nil)
		return
	}
	msg, err := q.message(j.e)
	if err != nil {
		q.settle(j, env, all(j.to, soft(err.Error())))
		return
	}
	results, to := q.judge(j, env, msg.Size())
	if len(to) > 0 {
		part := *env
		part.To = make([]mail.Recipient, len(to))
		for i, t := range to {
			part.To[i] = env.To[t]
			if r := j.route(t); r != "" {
				part.To[i].Route = r
			}
			if tags := j.tags[t]; len(tags) > 0 {
				part.To[i].Tags = slices.Concat(part.To[i].Tags, tags)
			}
		}
		results = append(results, q.deliver(j, part, to, msg)...)
	}
	q.settle(j, env, results)
}

// activate marks the recipients; what a person held or removed meanwhile is
// left out. It tells whether any are left.
func (q *Queue) activate(j *job) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	to, routes := j.to[:0], j.routes[:0]
	alive := q.entries[j.e.key] == j.e
	for i, t := range j.to {
		r := &j.e.rcpts[t]
		if !alive || r.state != Ready {
			continue
		}
		r.state = Active
		to = append(to, t)
		if j.routes != nil {
			routes = append(routes, j.routes[i])
		}
	}
	j.to = to
	if j.routes != nil {
		j.routes = routes
	}
	return len(to) > 0
}

// route is the route that policy chose for the recipient at this attempt.
func (j *job) route(t int32) string {
	for i := range j.routes {
		if j.to[i] == t {
			return j.routes[i]
		}
	}
	return ""
}

// deliver asks the transport. One that forgets a recipient has failed for the
// time being.
func (q *Queue) deliver(j *job, env mail.Envelope, to []int32, msg *mail.Message) []result {
	rs := all(to, soft("the transport said nothing of this recipient"))
	for i := range rs {
		rs[i].tried = true
	}
	for _, a := range j.transport.Deliver(q.ctx, env, msg) {
		if a.To >= 0 && a.To < len(to) && a.Outcome != 0 {
			rs[a.To].Attempt = a
			rs[a.To].To = int(to[a.To])
		}
	}
	j.meet(rs)
	return rs
}
