package queue

import "github.com/forepost/forepost/relay/mail"

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
	behind    *job
}

// line is the jobs that wait for one hop, first come first served.
type line struct {
	key         string
	limit       int // jobs under way at once
	active      int
	first, last *job
	length      int
	ringed      bool
	after       *line // in the ring
}

// lines are all lines, and the rule of whose turn it is: lines with something
// to do stand in a ring and are served in turn, each up to its limit. When less
// than a quarter of the workers are free, a line gets no more than a fifth of
// its limit, and of the last eighth only lines that have none under way get
// any: so many destinations that hang at once still leave workers to the ones
// that do not.
//
// It is pure: the Queue guards it and runs what take gives.
type lines struct {
	workers, perHop int
	running         int // jobs under way
	waiting         int // jobs in lines
	byKey           map[string]*line
	head, tail      *line // the ring
	ringed          int
}

func newLines(workers, perHop int) *lines {
	return &lines{workers: workers, perHop: perHop, byKey: map[string]*line{}}
}

// routing is the line of recipients whose hop is not known yet.
const routing = ""

// long is the length from which on a line's jobs keep no envelopes at hand.
const long = 1000

// put puts a job into the line of that key. limit 0 is the default.
func (ls *lines) put(key string, limit int, j *job) {
	l := ls.byKey[key]
	if l == nil {
		l = &line{key: key}
		ls.byKey[key] = l
	}
	if l.limit = limit; limit <= 0 {
		l.limit = ls.perHop
	}
	if j.line, j.behind = l, nil; l.length >= long {
		j.env = nil
	}
	if l.last == nil {
		l.first = j
	} else {
		l.last.behind = j
	}
	l.last = j
	l.length++
	ls.waiting++
	ls.enring(l)
}

// take is the next job to run, nil where there is none that may. It counts as
// running until done.
func (ls *lines) take() *job {
	if ls.running >= ls.workers {
		return nil
	}
	for range ls.ringed {
		l := ls.unring()
		if l.active >= ls.allowed(l) {
			ls.enring(l)
			continue
		}
		return ls.serve(l)
	}
	return nil
}

func (ls *lines) serve(l *line) *job {
	j := l.first
	if l.first = j.behind; l.first == nil {
		l.last = nil
	}
	j.behind = nil
	l.length--
	l.active++
	ls.waiting--
	ls.running++
	ls.enring(l)
	return j
}

// done tells that a job is no longer under way.
func (ls *lines) done(j *job) {
	l := j.line
	l.active--
	ls.running--
	ls.enring(l)
	if l.active == 0 && l.length == 0 {
		delete(ls.byKey, l.key)
	}
}

func (ls *lines) allowed(l *line) int {
	switch free := ls.workers - ls.running; {
	case free*4 > ls.workers:
		return l.limit
	case free*8 > ls.workers:
		return max(1, l.limit/5)
	}
	return 1
}

// enring puts a line at the end of the ring if there is something that it may
// do. The ring so never has more than a few lines that must be passed over.
func (ls *lines) enring(l *line) {
	if l.ringed || l.length == 0 || l.active >= l.limit {
		return
	}
	l.ringed, l.after = true, nil
	if ls.tail == nil {
		ls.head = l
	} else {
		ls.tail.after = l
	}
	ls.tail = l
	ls.ringed++
}

func (ls *lines) unring() *line {
	l := ls.head
	if ls.head = l.after; ls.head == nil {
		ls.tail = nil
	}
	l.ringed, l.after = false, nil
	ls.ringed--
	return l
}
