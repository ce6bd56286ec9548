package queue

import (
	"log/slog"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/meter"
	"github.com/forepost/forepost/relay/trail"
)

// What the queue counts. Routes are the operator's names.
var (
	messages   = meter.Gauge("forepost_queue_messages", "Messages in the queue by state: waiting for their time, ready (in line), active, held. One can be in several.", "state")
	oldest     = meter.Gauge("forepost_queue_oldest_seconds", "Age of the oldest message in the queue.")
	attempts   = meter.Counter("forepost_delivery_attempts_total", "Attempts to deliver to one recipient, by route and result.", "route", "result")
	suppressed = meter.Counter("forepost_queue_reports_suppressed_total", "Reports that were not sent, since nothing speaks for their reader having sent the message, by what they would have said.", "action")
	delays     = meter.Seconds("forepost_delivery_delay_seconds", "From the acceptance of a message to its delivery.", "route")
)

// noTrail is for a queue without a trail.
type noTrail struct{}

func (noTrail) Record(*trail.Record) {}
func (noTrail) Event(trail.Event)    {}

// what is the word of the trail for a state that an attempt led to.
func (c *change) what() string {
	switch c.rcpt.state {
	case Waiting:
		return "deferred"
	case Failed:
		return "bounced"
	}
	return c.rcpt.state.String()
}

// tell leaves one event and one line of log for each recipient.
func (q *Queue) tell(j *job, env *mail.Envelope, cs []change, now time.Time) {
	for i := range cs {
		c := &cs[i]
		ev := trail.Event{
			ID: env.ID, Time: now, What: c.what(), To: env.To[c.To].Address.String(),
			Host: c.Host, Reply: c.words(), TLS: c.TLS, Note: q.note(env, c),
		}
		if c.rcpt.state == Waiting {
			ev.Next = time.UnixMilli(c.next)
		}
		q.o.Trail.Event(ev)
		q.line(j, env, c, &ev)
		attempts.WithLabelValues(j.hop.Route, ev.What).Inc()
		if c.rcpt.state == Done {
			delays.WithLabelValues(j.hop.Route).Observe(now.Sub(env.Received).Seconds())
		}
	}
}

// words is what was said to the attempt.
func (c *change) words() string {
	if c.Outcome == Delivered {
		return c.Said
	}
	return c.Reply.String()
}

func (q *Queue) note(env *mail.Envelope, c *change) string {
	switch {
	case c.why != "":
		return c.why
	case c.warn:
		return "the delay was reported to " + env.From.String()
	}
	if s := q.silence(env, c); s != "" {
		return s
	}
	return c.Note
}

// line is the summary of one recipient's attempt in the log.
func (q *Queue) line(j *job, env *mail.Envelope, c *change, ev *trail.Event) {
	if !q.log.Enabled(q.ctx, slog.LevelInfo) {
		return
	}
	as := make([]slog.Attr, 0, 12)
	as = append(as, slog.String("id", string(env.ID)), slog.String("from", env.From.String()), slog.String("to", ev.To),
		slog.String("route", j.hop.Route), slog.String("host", ev.Host), slog.String("reply", ev.Reply),
		slog.Int("attempt", int(c.attempts)), slog.Duration("age", ev.Time.Sub(env.Received).Round(time.Millisecond)))
	if ev.TLS != "" {
		as = append(as, slog.String("tls", ev.TLS))
	}
	if !ev.Next.IsZero() {
		as = append(as, slog.Time("next", ev.Next))
	}
	if ev.Note != "" {
		as = append(as, slog.String("note", ev.Note))
	}
	q.log.LogAttrs(q.ctx, slog.LevelInfo, ev.What, as...)
}

// watch sets the gauges every few seconds, and writes what is owed.
func (q *Queue) watch() {
	t := time.NewTicker(5 * time.Second)
	defer t.Stop()
	for {
		q.pay()
		q.mu.Lock()
		q.lines.forget(millis(q.o.Now().Add(-memory)))
		q.mu.Unlock()
		s := q.Stats()
		messages.WithLabelValues("waiting").Set(float64(s.Waiting))
		messages.WithLabelValues("ready").Set(float64(s.Ready))
		messages.WithLabelValues("active").Set(float64(s.Active))
		messages.WithLabelValues("held").Set(float64(s.Held))
		oldest.WithLabelValues().Set(s.Oldest.Seconds())
		select {
		case <-t.C:
		case <-q.quit:
			return
		}
	}
}
