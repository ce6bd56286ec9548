package queue

import (
	"unique"

	"github.com/forepost/forepost/relay/mail"
)

// job is an attempt to be made, or (line routing) recipients to be told their
// lines.
type job struct {
	e         *entry
	env       *mail.Envelope // nil: to be read from e
	to        []int32        // indices of the entry's recipients
	line      *line
	hop       Hop
	transport Transport
	routes    []string           // what policy chose for each of to at this attempt; nil: not asked yet
	tags      map[int32][]string // what policy gave recipients at this attempt
	met       met
	last      unique.Handle[last] // of met none: what it came to
	served    class               // that its line was in
	serial    uint64              // the event of its being served
	behind    *job
}

// met is whom an attempt met at the other end.
type met uint8

const (
	unasked  met = iota // no attempt was made
	somebody            // who may have refused, but is there
	nobody              // no host, or none that answers
	busy                // somebody for whom we are too many
)

// class is how much trust a line has. Each has a ring of its own, and they are
// served in turn.
type class uint8

const (
	proven  class = iota // the last attempt met somebody
	unknown              // none was made yet
	failing              // the last attempt met nobody
	classes
)

// priority is that of the message.
func (j *job) priority() int8 {
	if j.e == nil {
		return 0
	}
	return j.e.priority
}

// line is the jobs that wait for one hop, first come first served within a
// priority.
type line struct {
	key    string
	limit  int    // jobs under way at once, at the most
	window int    // and for now
	topped uint64 // when the window was last used up, in events
	gained int    // jobs that went well since it grew
	cut    uint64 // when it was halved, in events; 0: it never was
	good   uint64 // when somebody was last met, in events
	active int
	bands  [3]band // by priority
	turns  uint8
	length int
	ringed bool
	after  *line // in the ring

	class class
	fails int                 // attempts in a row that met nobody, the quick looks aside
	looks int                 // quick looks left, since somebody was met
	found uint64              // when it was found out last that nobody is there, in events
	until int64               // Unix milliseconds; while failing there is no attempt before
	last  unique.Handle[last] // why
	seen  int64               // when an attempt was last made
	off   []*entry            // that were put off since then, and are to be woken
}

// band is the jobs of a line that have the same priority, first come first served.
type band struct{ first, final *job }

// bandOf is where a priority (RFC 6710: -9 to 9) stands in line.
func bandOf(priority int8) int {
	switch {
	case priority > 0:
		return 0
	case priority < 0:
		return 2
	}
	return 1
}

// others is how often it is the turn of those that wait behind higher priorities,
// so that they do move.
const others = 8

// next takes the job whose turn it is out of its band.
func (l *line) next() *job {
	l.turns++
	n := 0
	for i := range l.bands {
		k := i
		if l.turns%others == 0 {
			k = len(l.bands) - 1 - i
		}
		if l.bands[k].first != nil {
			n = k
			break
		}
	}
	b := &l.bands[n]
	j := b.first
	if b.first = j.behind; b.first == nil {
		b.final = nil
	}
	j.behind = nil
	return j
}

// lines are all lines, and the rule of whose turn it is: lines with something
// to do stand in a ring and are served in turn, each up to its limit. When less
// than a quarter of the workers are free, a line gets no more than a fifth of
// its limit, and of the last eighth only lines that have none under way get
// any: so many destinations that hang at once still leave workers to the ones
// that do not. Lines whose hosts do not answer have a quarter of the workers
// together, one job each; and a few workers are left to those that are known to
// answer.
//
// It is pure: the Queue guards it and runs what take gives.
type lines struct {
	workers, perHop int
	running         int // jobs under way
	waiting         int // jobs in lines
	byKey           map[string]*line
	rings           [classes]ring
	turn            class  // whose turn it is
	serial          uint64 // events: jobs served, jobs done
}

// ring is the lines of a class that have something to do.
type ring struct {
	head, tail *line
	length     int
	running    int // jobs under way
}

func newLines(workers, perHop int) *lines {
	return &lines{workers: workers, perHop: perHop, byKey: map[string]*line{}}
}

// The lines of recipients whose hop is not known yet: of new messages, and of
// those that come back, so that many of these do not hold up the others.
const (
	routing   = ""
	rerouting = "again"
)

// routes tells whether a line is one of those; hops' keys have a colon, or are
// one word of the router's.
func (l *line) routes() bool { return l.key == routing || l.key == rerouting }

// many is how many jobs may wait with their envelopes at hand.
const many = 10_000

// put puts a job into the line of that key. limit 0 is the default.
func (ls *lines) put(key string, limit int, j *job) {
	l := ls.of(key)
	if l.limit = limit; limit <= 0 {
		l.limit = ls.perHop
	}
	if j.line, j.behind = l, nil; ls.waiting >= many {
		j.env = nil
	}
	b := &l.bands[bandOf(j.priority())]
	if b.final == nil {
		b.first = j
	} else {
		b.final.behind = j
	}
	b.final = j
	l.length++
	ls.waiting++
	ls.enring(l)
}

// of is the line of that key, made if there is none.
func (ls *lines) of(key string) *line {
	l := ls.byKey[key]
	if l == nil {
		l = &line{key: key, class: unknown, last: noLast, window: firstWindow}
		if l.routes() {
			l.class, l.window = proven, ls.workers
		}
		ls.byKey[key] = l
	}
	return l
}

// recall makes a line that nothing is known of a failing one, since what comes for
// it failed before: the program was started anew.
func (ls *lines) recall(key string, l unique.Handle[last]) {
	if to := ls.of(key); to.class == unknown && to.idle() {
		to.class, to.fails, to.last = failing, 1, l
	}
}

// take is the next job to run, nil where there is none that may. It counts as
// running until done.
func (ls *lines) take() *job {
	if ls.running >= ls.workers {
		return nil
	}
	for range 2 * classes { // in the first round, lines may change their rings
		ls.turn = (ls.turn + 1) % classes
		if j := ls.takeOf(ls.turn); j != nil {
			return j
		}
	}
	return nil
}

// takeOf is the next job of a class.
func (ls *lines) takeOf(c class) *job {
	r := &ls.rings[c]
	if r.running >= ls.share(c) {
		return nil
	}
	for range r.length {
		l := r.unring()
		if l.class != c || l.active >= ls.allowed(l) {
			ls.enring(l)
			continue
		}
		return ls.serve(l)
	}
	return nil
}

// share is how many workers a class may have.
func (ls *lines) share(c class) int {
	switch c {
	case failing:
		return max(1, ls.workers/4)
	case unknown:
		return max(1, ls.workers-ls.workers/16)
	}
	return ls.workers
}

func (ls *lines) serve(l *line) *job {
	ls.serial++
	j := l.next()
	j.served, j.serial = l.class, ls.serial
	l.length--
	if l.active++; l.active >= l.room() {
		l.topped = ls.serial
	}
	ls.waiting--
	ls.running++
	ls.rings[j.served].running++
	ls.enring(l)
	return j
}

// done tells that a job is no longer under way, and now; until is when the hop
// is to be tried again if the job met nobody there.
func (ls *lines) done(j *job, now, until int64) {
	l := j.line
	ls.serial++
	l.active--
	ls.running--
	ls.rings[j.served].running--
	switch l.took(j, ls.serial) {
	case somebody:
		l.class, l.fails, l.looks, l.until, l.last = proven, 0, len(quickLooks), 0, noLast
		l.seen, l.good = now, ls.serial
		l.widen(j)
	case busy:
		l.seen = now
	case nobody:
		l.window, l.gained = min(l.window, firstWindow), 0
		l.class, l.last, l.seen = failing, j.last, now
		if j.serial > l.found { // those that were under way then tell nothing new
			l.until, l.found = until, ls.serial
			l.missed(j)
		}
	}
	ls.enring(l)
	if l.idle() && (l.routes() || l.class == unknown) {
		delete(ls.byKey, l.key)
	}
}

// took is what a job tells of the destination: where somebody was met meanwhile,
// one that was not answered, or too much, only narrows the window.
func (l *line) took(j *job, now uint64) met {
	there := l.class == proven && (j.met == busy || l.good > j.serial)
	switch {
	case j.met != busy && j.met != nobody:
		return j.met
	case there && l.narrow(j, now):
		return busy
	}
	return nobody
}

// missed counts an attempt that met nobody. A server that is too busy is not looked
// at quickly.
func (l *line) missed(j *job) {
	if l.looks > 0 && j.met == nobody {
		l.looks--
		return
	}
	l.looks = 0
	l.fails++
}

func (l *line) idle() bool { return l.active == 0 && l.length == 0 }

// forget drops lines that have nothing to do and whose last attempt was before
// a time: what was learned of them then may not hold any more.
func (ls *lines) forget(before int64) {
	for k, l := range ls.byKey {
		if l.idle() && l.seen < before {
			for _, e := range l.off {
				e.off = false
			}
			delete(ls.byKey, k)
		}
	}
}

func (ls *lines) allowed(l *line) int {
	if l.class == failing {
		return 1
	}
	switch free := ls.workers - ls.running; {
	case free*4 > ls.workers:
		return l.room()
	case free*8 > ls.workers:
		return max(1, l.room()/5)
	}
	return 1
}

// enring puts a line at the end of its ring if there is something that it may
// do. A ring so never has more than a few lines that must be passed over.
func (ls *lines) enring(l *line) {
	if l.ringed || l.length == 0 || l.active >= l.room() {
		return
	}
	r := &ls.rings[l.class]
	l.ringed, l.after = true, nil
	if r.tail == nil {
		r.head = l
	} else {
		r.tail.after = l
	}
	r.tail = l
	r.length++
}

func (r *ring) unring() *line {
	l := r.head
	if r.head = l.after; r.head == nil {
		r.tail = nil
	}
	l.ringed, l.after = false, nil
	r.length--
	return l
}
