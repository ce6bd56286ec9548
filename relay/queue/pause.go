package queue

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unique"

	"github.com/forepost/forepost/relay/journal"
)

// Pause is a route that an operator has stopped.
type Pause struct {
	Route string
	Until time.Time // zero: until it is resumed
	Why   string
}

// pausing is a Pause in force.
type pausing struct {
	Pause
	until int64
	last  unique.Handle[last]
}

// PauseRoute stops deliveries over a route; those under way go on. It is kept over
// a restart. A pause of the same route is replaced.
func (q *Queue) PauseRoute(ctx context.Context, p Pause) error {
	return q.setPause(ctx, p, false)
}

// ResumeRoute lets a route go on, at once. It tells whether it was paused.
func (q *Queue) ResumeRoute(ctx context.Context, route string) (bool, error) {
	q.mu.Lock()
	_, was := q.paused[route]
	q.mu.Unlock()
	if !was {
		return false, nil
	}
	if err := q.setPause(ctx, Pause{Route: route}, true); err != nil {
		return true, err
	}
	q.Retry(Filter{Where: func(_ *Info, s *Status) bool { return s.Paused && s.Route == route }})
	return true, nil
}

func (q *Queue) setPause(ctx context.Context, p Pause, ended bool) error {
	var b journal.Batch
	b.Add(kindPause, pauseRecord(p, ended))
	b.Then(func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.applyPause(p, ended)
	})
	if err := q.j.Commit(context.WithoutCancel(ctx), &b); err != nil {
		return fmt.Errorf("queue: route %s: %w", p.Route, err)
	}
	return nil
}

// applyPause is called with mu held.
func (q *Queue) applyPause(p Pause, ended bool) {
	if ended {
		delete(q.paused, p.Route)
		return
	}
	s := pausing{Pause: p, until: math.MaxInt64 / 2}
	if !p.Until.IsZero() {
		s.until = millis(p.Until)
	}
	s.last = unique.Make(last{reply: pausedReply(p.Route, p.Why), route: p.Route, paused: true})
	q.paused[p.Route] = s
}

// Paused are the routes that are paused now, by name.
func (q *Queue) Paused() []Pause {
	now := millis(q.o.Now())
	q.mu.Lock()
	defer q.mu.Unlock()
	var list []Pause
	for _, p := range q.paused {
		if now < p.until {
			list = append(list, p.Pause)
		}
	}
	slices.SortFunc(list, func(a, b Pause) int { return strings.Compare(a.Route, b.Route) })
	return list
}

func pauseRecord(p Pause, ended bool) []byte {
	var e encoder
	e.b = append(e.b, version)
	e.str(p.Route)
	e.flags(ended, p.Until.IsZero())
	e.int(p.Until.UnixMilli())
	e.str(p.Why)
	return e.b
}

func decodePause(data []byte) (p Pause, ended bool, err error) {
	d := decoder{b: data}
	if d.byte() != version {
		d.fail()
	}
	p.Route = d.str()
	f := d.byte()
	until := d.int()
	if f&2 == 0 {
		p.Until = time.UnixMilli(until)
	}
	p.Why = d.str()
	return p, f&1 != 0, d.err()
}

// rewritePause says again what is in force; that a pause ended need not be said:
// its beginning lies before it, and is not said again. The caller holds mu.
func (q *Queue) rewritePause(data []byte, b *journal.Batch) error {
	p, ended, err := decodePause(data)
	if err != nil || ended {
		return err
	}
	if now, ok := q.paused[p.Route]; ok && now.until > millis(q.o.Now()) {
		b.Add(kindPause, pauseRecord(now.Pause, false))
	}
	return nil
}
