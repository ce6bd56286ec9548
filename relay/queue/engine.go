package queue

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/forepost/forepost/relay/journal"
)

// Queue is the queue. It is safe for concurrent use.
type Queue struct {
	o     Options
	j     *journal.Journal
	log   *slog.Logger
	ctx   context.Context // of attempts; ends when Stop has waited enough
	abort context.CancelFunc
	wake  chan struct{} // the clock is to look again
	group sync.WaitGroup

	// mu is held for moves in memory only, never while anything waits for a
	// disk, a network or the journal.
	mu             sync.Mutex
	phase          phase
	quit           chan struct{} // closed by Stop
	entries        map[key]*entry
	oldest, newest *entry // all entries, in the order in which they came
	timers         timers
	lines          *lines
	held           int   // entries with a held recipient
	dressed        int   // entries with their dress in memory
	owed           []key // done records still to be written
	paused         map[string]pausing
	lasts          lasts // while filling
	fresh          bool  // a new message came in since the clock last looked
}

type phase uint8

const (
	filling phase = iota // Recover has its time
	running
	stopped
)

// New makes a queue and registers it with the journal; Recover of the journal
// fills it, Start begins to deliver. Journal, Router and IDs must be given.
func New(o Options) *Queue {
	o = o.withDefaults()
	q := &Queue{
		o: o, j: o.Journal, log: o.Log,
		wake: make(chan struct{}, 1), quit: make(chan struct{}),
		entries: map[key]*entry{}, paused: map[string]pausing{}, lasts: lasts{}, lines: newLines(o.Workers, o.PerHop),
	}
	q.ctx, q.abort = context.WithCancel(context.Background())
	q.j.Register(q, kindEntry, kindProgress, kindDone, kindPause)
	return q
}

func (o Options) withDefaults() Options {
	if o.Workers <= 0 {
		o.Workers = 200
	}
	if o.PerHop <= 0 {
		o.PerHop = 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Trail == nil {
		o.Trail = noTrail{}
	}
	schedule := o.Schedule
	o.Schedule = func(route string) Schedule {
		if schedule == nil {
			return Schedule{}.withDefaults()
		}
		return schedule(route).withDefaults()
	}
	return o
}

// Start begins to deliver. It is called once, after the journal's Recover.
func (q *Queue) Start() {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.phase != filling {
		return
	}
	q.phase = running
	q.lasts = nil
	q.adopt()
	q.group.Go(q.clock)
	q.group.Go(q.watch)
	q.kick()
}

// Stop lets attempts under way finish (until ctx ends, which cuts them off:
// what they would have reached is tried again after the next start) and begins
// no new ones. Entries may still be committed; they wait for the next start.
func (q *Queue) Stop(ctx context.Context) error {
	q.mu.Lock()
	if q.phase != stopped {
		q.phase = stopped
		close(q.quit)
	}
	q.mu.Unlock()
	done := make(chan struct{})
	go func() { q.group.Wait(); close(done) }()
	defer q.abort()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		q.mu.Lock()
		idle := q.lines.running == 0
		q.mu.Unlock()
		q.abort()
		<-done
		if idle { // ctx ended before, for something else
			return nil
		}
		return errors.Join(errors.New("queue: attempts under way were cut off"), ctx.Err())
	}
}

// kick gives workers to jobs. The caller holds mu.
func (q *Queue) kick() {
	if q.phase != running {
		return
	}
	for {
		j := q.lines.take()
		if j == nil {
			return
		}
		q.group.Add(1)
		go q.work(j)
	}
}

// work runs jobs as long as there are some: a waiting entry has no goroutine.
func (q *Queue) work(j *job) {
	defer q.group.Done()
	for j != nil {
		q.guard(j)
		j = q.nextJob(j)
	}
}

func (q *Queue) nextJob(j *job) *job {
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.o.Now()
	q.lines.done(j, millis(now), millis(now.Add(q.pause(j))))
	if j.met == somebody && len(j.line.off) > 0 {
		q.meetAgain(j.line, millis(now))
	}
	if q.phase != running {
		return nil
	}
	next := q.lines.take()
	q.kick() // what is done may have made room for more than one
	return next
}
