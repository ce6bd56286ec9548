package queue

import (
	"time"
	"unique"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// key names an entry for ever: the blob that it was born with, and its place
// among the submissions of that draft.
type key struct {
	blob journal.BlobID
	n    uint32
}

// entry is a queued message in memory. What a waiting one keeps is small; the
// README has the count. All of it is guarded by Queue.mu, but for the fields of
// the first group, which do not change.
type entry struct {
	key      key
	received int64  // Unix milliseconds
	env      string // encodeEnvelope

	dress  *dress         // nil where it is parked
	parked journal.BlobID // the blob that has the dress; 0 where there is none to have

	rcpts      []rcpt
	one        [1]rcpt // rcpts, where there is one: the fewer pieces a million entries are in, the less the collector has to do
	left       int32   // recipients that are not settled
	at         int32   // place in the heap of waiting entries, -1 for none
	held       bool    // some recipient is
	parking    bool    // the dress is on its way into a blob
	off        bool    // it has one recipient and stands in line.off
	priority   int8    // of the message, RFC 6710
	next       int64   // when it is due, while it waits
	prev, succ *entry
}

// State is where a recipient of an entry stands.
type State uint8

// The states. The last five are settled; Ready and Active are not kept on the
// disk, where they are Waiting.
const (
	Waiting   State = iota // for its time
	Ready                  // in the line of its hop
	Active                 // an attempt is under way
	Held                   // until a person acts
	Done                   // delivered
	Failed                 // refused for good
	Expired                // given up after Schedule.Expire
	Discarded              // by policy
	Removed                // by a person
)

var stateNames = [...]string{"waiting", "ready", "active", "held", "delivered", "failed", "expired", "discarded", "removed"}

func (s State) String() string { return stateNames[s] }

// settled tells whether nothing is left to do.
func (s State) settled() bool { return s >= Done }

// rcpt is how far one recipient has come.
type rcpt struct {
	next     int64 // Unix milliseconds; while Waiting
	last     unique.Handle[last]
	attempts uint16
	state    State
	warned   bool // a delay was reported
}

// last is what the last attempt came to. Thousands of entries that wait for the
// same dead host share one.
type last struct {
	reply  mail.Reply
	said   string // where there is no reply: why it is held
	host   string
	route  string
	remote bool
	paused bool // no attempt was made: the route is paused
	doomed bool // it is to be returned, whatever a server would say
}

var noLast = unique.Make(last{})

func newEntry(k key, env *mail.Envelope, s *dress) *entry {
	e := &entry{key: k, received: env.Received.UnixMilli(), env: string(encodeEnvelope(env)), dress: s, at: -1, priority: env.Priority}
	e.makeRcpts(len(env.To))
	return e
}

// id is that of the transaction.
func (e *entry) id() mail.ID {
	if n := len(e.env); n > 0 && e.env[0] < 0x80 && int(e.env[0]) < n { // its length is one octet of the varint
		return mail.ID(e.env[1 : 1+e.env[0]])
	}
	env, _ := decodeEnvelope([]byte(e.env))
	return env.ID
}

func (e *entry) makeRcpts(n int) {
	if e.rcpts = e.one[:]; n != 1 {
		e.rcpts = make([]rcpt, n)
	}
	for i := range e.rcpts {
		e.rcpts[i].last = noLast
	}
	e.left = int32(n)
}

// hold keeps all recipients until a person acts.
func (e *entry) hold(why string) {
	l := unique.Make(last{said: why})
	for i := range e.rcpts {
		e.rcpts[i].state, e.rcpts[i].last = Held, l
	}
}

// refuse marks the recipients that are to be reported, not tried.
func (e *entry) refuse(refused map[int]Refusal) {
	for i, r := range refused {
		r.Reply.Class = mail.Permanent
		e.rcpts[i].last, e.rcpts[i].next = unique.Make(last{reply: r.Reply, said: r.Why, doomed: true}), e.received
	}
}

// due are the recipients whose time has come; they become Ready. Those that
// come a moment later go along, so that they share the attempt.
func (e *entry) due(now int64) []int32 {
	var to []int32
	for i := range e.rcpts {
		r := &e.rcpts[i]
		if r.state == Waiting && r.next <= now+slack {
			r.state = Ready
			to = append(to, int32(i))
		}
	}
	return to
}

const slack = int64(time.Second / time.Millisecond)

// earliest is when the next recipient is due; ok is false where none waits.
func (e *entry) earliest() (at int64, ok bool) {
	for i := range e.rcpts {
		if r := &e.rcpts[i]; r.state == Waiting && (!ok || r.next < at) {
			at, ok = r.next, true
		}
	}
	return at, ok
}

// recount sets left from the recipients' states.
func (e *entry) recount() {
	e.left = 0
	for i := range e.rcpts {
		if !e.rcpts[i].state.settled() {
			e.left++
		}
	}
}

func millis(t time.Time) int64 { return t.UnixMilli() }
