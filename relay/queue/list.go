package queue

import (
	"errors"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// Stats is how much is in the queue.
type Stats struct {
	Entries int           // messages; one draft can have become several
	Waiting int           // entries with a recipient that waits for its time
	Ready   int           // jobs in line: an entry and the recipients with the same hop
	Active  int           // jobs under way
	Held    int           // entries with a held recipient
	Oldest  time.Duration // age of the oldest entry, 0 where there is none
}

// Stats counts, in no time.
func (q *Queue) Stats() Stats {
	now := q.o.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	s := Stats{
		Entries: len(q.entries), Waiting: len(q.timers), Held: q.held,
		Ready: q.lines.waiting, Active: q.lines.running,
	}
	if q.oldest != nil {
		s.Oldest = max(0, now.Sub(time.UnixMilli(q.oldest.received)))
	}
	return s
}

// Filter chooses entries. Its zero value chooses all; what is set must all hold.
type Filter struct {
	ID     mail.ID          // of the transaction
	From   string           // part of the sender's address; "<>" is the null sender
	To     string           // part of a recipient's address
	Route  string           // of the last attempt
	Reply  string           // part of the last reply
	State  func(State) bool // of a recipient
	Older  time.Duration    // at least this old
	Settle bool             // show settled recipients, too
	Limit  int              // at most so many entries, the oldest first; 0 for all

	// Where is asked last, about each recipient: in is the whole entry, its
	// Recipients apart (and its Size, unless ParseFilter made this).
	Where func(in *Info, s *Status) bool
	sized bool // Where wants the Size
}

// Info is an entry as people see it.
type Info struct {
	Envelope   mail.Envelope
	Size       int64 // of the octets as received
	Recipients []Status
	Chosen     []int32 // of Walk and List: the recipients (indices in Envelope.To) that the filter chose

	blob journal.BlobID
}

// Status is where a recipient of an Info stands.
type Status struct {
	Index    int // in Envelope.To
	State    State
	Attempts int
	Next     time.Time // while Waiting
	Reply    string    // the last refusal, or why it is held
	Host     string    // of the last attempt
	Route    string    // of the last attempt
	Paused   bool      // no attempt was made, since the route is paused
}

// List finds entries, the oldest first. The queue goes on meanwhile.
func (q *Queue) List(f Filter) []Info {
	var list []Info
	q.Walk(f, func(in *Info) {
		in.Size = q.size(in.blob)
		list = append(list, *in)
	})
	return list
}

// Walk calls do for what List would find, one entry after the other, without its
// Size.
func (q *Queue) Walk(f Filter, do func(*Info)) {
	q.each(&f, func(_ *entry, in *Info, to []int32) {
		in.Chosen = to
		do(in)
	})
}

// Count is how many messages a filter chooses, and how many of their recipients.
func (q *Queue) Count(f Filter) (messages, recipients int) {
	q.each(&f, func(_ *entry, _ *Info, to []int32) {
		messages++
		recipients += len(to)
	})
	return messages, recipients
}

// Messages are the messages of a transaction as they go out.
func (q *Queue) Messages(id mail.ID) (list []*mail.Message, err error) {
	f := Filter{ID: id}
	q.each(&f, func(e *entry, _ *Info, _ []int32) {
		m, fault := q.message(e)
		if err = errors.Join(err, fault); fault == nil {
			list = append(list, m)
		}
	})
	return list, err
}

// Show is all entries of a transaction, with the recipients that are settled.
func (q *Queue) Show(id mail.ID) []Info { return q.List(Filter{ID: id, Settle: true}) }

// each calls do for the entries that f chooses, with the recipients that it
// chose them by.
func (q *Queue) each(f *Filter, do func(e *entry, in *Info, to []int32)) {
	n := 0
	for _, e := range q.all() {
		in, to := q.match(e, f)
		if len(to) == 0 {
			continue
		}
		do(e, &in, to)
		if n++; n == f.Limit {
			return
		}
	}
}

// all is a list of the entries as they stand now, the oldest first.
func (q *Queue) all() []*entry {
	q.mu.Lock()
	defer q.mu.Unlock()
	es := make([]*entry, 0, len(q.entries))
	for e := q.oldest; e != nil; e = e.succ {
		es = append(es, e)
	}
	return es
}

// match tells which recipients of e the filter chooses.
func (q *Queue) match(e *entry, f *Filter) (in Info, to []int32) {
	if f.ID != "" && e.id() != f.ID || f.Older > 0 && q.o.Now().Sub(time.UnixMilli(e.received)) < f.Older {
		return in, nil
	}
	env, err := decodeEnvelope([]byte(e.env))
	if err != nil || !f.sender(env.From) {
		return in, nil
	}
	in = Info{Envelope: env, blob: e.key.blob}
	if f.sized {
		in.Size = q.size(in.blob)
	}
	q.mu.Lock()
	rs, alive := append([]rcpt(nil), e.rcpts...), q.entries[e.key] == e
	q.mu.Unlock()
	for i := 0; alive && i < len(rs); i++ {
		s := status(i, &rs[i])
		if f.recipient(env.To[i].Address, &s) && (f.Where == nil || f.Where(&in, &s)) {
			to = append(to, int32(i))
		}
		if f.Settle || !s.State.settled() {
			in.Recipients = append(in.Recipients, s)
		}
	}
	return in, to
}

func (q *Queue) size(id journal.BlobID) int64 {
	b, err := q.j.Blob(id)
	if err != nil {
		return 0
	}
	return b.Size()
}

func status(i int, r *rcpt) Status {
	l := r.last.Value()
	s := Status{Index: i, State: r.state, Attempts: int(r.attempts), Reply: l.reply.String(), Host: l.host, Route: l.route, Paused: l.paused}
	if s.Reply == "" {
		s.Reply = l.said
	}
	if r.state == Waiting {
		s.Next = time.UnixMilli(r.next)
	}
	return s
}

func (f *Filter) sender(a mail.Address) bool {
	if f.From == "<>" {
		return a.IsNull()
	}
	return strings.Contains(a.Key(), strings.ToLower(f.From))
}

func (f *Filter) recipient(a mail.Address, s *Status) bool {
	switch {
	case s.State.settled() && !f.Settle:
	case f.State != nil && !f.State(s.State):
	case f.Route != "" && f.Route != s.Route:
	case f.Reply != "" && !strings.Contains(s.Reply, f.Reply):
	default:
		return strings.Contains(a.Key(), strings.ToLower(f.To))
	}
	return false
}

// Hollow are the entries whose octets, or what goes on top of them, are not in the
// journal: it was salvaged. It is for a queue that was not started; Start forgets
// those without octets.
func (q *Queue) Hollow() []Info {
	gone := map[journal.BlobID]bool{}
	for _, id := range q.j.Missing() {
		gone[id] = true
	}
	var list []Info
	q.each(&Filter{}, func(e *entry, in *Info, _ []int32) {
		if gone[e.key.blob] || gone[e.parked] {
			list = append(list, *in)
		}
	})
	return list
}
