package pipeline

import (
	"context"
	"fmt"
	"runtime/debug"
	"sort"
	"sync/atomic"
	"time"

	"github.com/forepost/forepost/relay/meter"
)

// What filters cost and how they fare.
var (
	filterSeconds = meter.Seconds("forepost_filter_duration_seconds", "How long filters took.", "filter")
	filterResults = meter.Counter("forepost_filter_results_total", "Findings by filter: ok, or error where it could not tell.", "filter", "result")
	panics        = meter.Counter("forepost_panics_total", "Panics that were caught. Each is a defect worth a report.", "where")
)

// CountPanic counts a panic that was caught somewhere else.
func CountPanic(where string) { panics.WithLabelValues(where).Inc() }

// DefaultTimeout is how long a filter may take that states nothing else.
const DefaultTimeout = 10 * time.Second

// MaxQuestions is how often the DNS may be asked for one transaction, and for a
// session before it, whatever records a stranger publishes. It is more than SPF
// (143), five signatures, a chain of 50 seals and the walk to the author's policy
// (9) can ask together: or a stranger's records would use up what the policy of
// the author he forges is asked with, and could-not-tell be the answer. Who makes
// the context of a transaction puts it there (dns.WithBudget).
const MaxQuestions = 250

// Result is a finding and how it came about.
type Result struct {
	Instance *Instance
	To       int // the recipient it is about, -1 unless PerRecipient
	Finding  Finding
	Err      error // it could not tell
	Took     time.Duration
}

// find is one run of a filter; done is closed when result stands.
type find struct {
	of     *finds
	done   chan struct{}
	stands atomic.Bool // it is closed, and there is a finding
	result Result
	gaveUp bool // its starter's context ended first
}

// NewTransaction begins a transaction of a session.
func NewTransaction(s *Session) *Transaction {
	both := &struct {
		tx    Transaction
		finds finds
	}{}
	both.tx.Session, both.tx.finds = s, &both.finds
	return &both.tx
}

// Use tells which instances the plan in force has. The plan calls it.
func (tx *Transaction) Use(s *Set) { tx.set = s }

// For is the transaction with another recipient in question. It shares all else.
func (tx *Transaction) For(to int) *Transaction {
	t := *tx
	t.Current = to
	return &t
}

// Start runs a filter in the background, if it does not run or stand already.
// Its context ends with ctx, which the caller keeps for the transaction's life.
// The filter is given a copy of the transaction, since the caller goes on writing
// to its own.
func (tx *Transaction) Start(ctx context.Context, in *Instance) {
	f, mine := tx.claim(in)
	if mine {
		go tx.For(tx.Current).run(ctx, in, f)
	}
}

// Find returns what a filter found, running it or waiting for it as need be.
func (tx *Transaction) Find(ctx context.Context, in *Instance) Result {
	for {
		f, mine := tx.claim(in)
		if mine {
			tx.run(ctx, in, f)
			return f.result
		}
		if f.stands.Load() { // most are asked often, and have to wait once
			return f.result
		}
		select {
		case <-f.done:
			if !f.gaveUp || ctx.Err() != nil {
				return f.result
			}
		case <-ctx.Done():
			return Result{Instance: in, To: -1, Err: ctx.Err()}
		}
	}
}

// Found is Find for those who ask for facts alone: it hands out no copy of the
// finding.
func (tx *Transaction) Found(ctx context.Context, in *Instance) (Facts, error) {
	f, mine := tx.claim(in)
	switch {
	case mine:
		tx.run(ctx, in, f)
	case !f.stands.Load():
		r := tx.Find(ctx, in)
		return r.Finding.Facts, r.Err
	}
	return f.result.Finding.Facts, f.result.Err
}

// Ask is Find by name, for filters that read others' findings (Kind.Needs).
func (tx *Transaction) Ask(ctx context.Context, name string) (Finding, error) {
	in, ok := tx.set.Get(name)
	if !ok {
		return Finding{}, fmt.Errorf("no filter %q in this configuration", name)
	}
	r := tx.Find(ctx, in)
	return r.Finding, r.Err
}

// Results are the findings that stand by now, by name and recipient.
func (tx *Transaction) Results() []Result {
	var rs []Result
	for _, fs := range [...]*finds{&tx.Session.finds, tx.finds} {
		if !fs.any.Load() {
			continue
		}
		fs.mu.Lock()
		for k, f := range fs.all() {
			if now, ok := tx.set.Get(k.in.Name); ok && now != k.in {
				continue // of a configuration before a reload
			}
			select {
			case <-f.done:
				rs = append(rs, f.result)
			default:
			}
		}
		fs.mu.Unlock()
	}
	if len(rs) < 2 {
		return rs
	}
	sort.Slice(rs, func(i, j int) bool {
		if rs[i].Instance.Name != rs[j].Instance.Name {
			return rs[i].Instance.Name < rs[j].Instance.Name
		}
		return rs[i].To < rs[j].To
	})
	return rs
}

// Settle tells the filters that charged something whether it was taken: for one
// recipient, or (-1) for the message itself. Findings are settled once.
func (tx *Transaction) Settle(ctx context.Context, to int, taken bool) {
	if !tx.finds.any.Load() {
		return
	}
	tx.finds.mu.Lock()
	var due []Result
	for k, f := range tx.finds.all() {
		select {
		case <-f.done:
		default:
			continue
		}
		if k.to == to && f.result.Finding.Charge != nil {
			due = append(due, f.result)
			f.result.Finding.Charge = nil
		}
	}
	tx.finds.mu.Unlock()
	for _, r := range due {
		if s, ok := r.Instance.Filter.(Settler); ok {
			s.Settle(ctx, r.Finding, taken)
		}
	}
}

// Forget drops what was found about the last recipient, which was refused: the
// next one takes its index.
func (tx *Transaction) Forget(to int) {
	tx.finds.mu.Lock()
	defer tx.finds.mu.Unlock()
	tx.finds.remove(func(k findKey, _ *find) bool { return k.to == to })
}

// claim finds the run of a filter for what tx is about, or makes it the caller's
// to run.
func (tx *Transaction) claim(in *Instance) (f *find, mine bool) {
	fs, k := tx.finds, findKey{in, -1}
	switch in.Scope {
	case PerSession:
		fs = &tx.Session.finds
	case PerRecipient:
		k.to = tx.Current
	}
	fs.mu.Lock()
	if f = fs.get(k); f == nil {
		f, mine = &find{of: fs, done: make(chan struct{})}, true
		f.result.Instance, f.result.To = in, k.to
		fs.put(k, f)
	}
	fs.mu.Unlock()
	return f, mine
}

func (tx *Transaction) run(parent context.Context, in *Instance, f *find) {
	timeout := in.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(parent, timeout)
	defer cancel()
	start := time.Now()
	f.result.Finding, f.result.Err = inspect(ctx, in, tx)
	f.result.Took = time.Since(start)
	if f.gaveUp = parent.Err() != nil; f.gaveUp {
		f.of.drop(f) // nobody waited for it: it is no finding, and who asks later asks anew
	}
	if tx.Past == nil { // what a record says was counted when it was found
		count(in, &f.result)
	}
	f.stands.Store(!f.gaveUp)
	close(f.done)
}

// count notes what a filter cost and whether it could tell.
func count(in *Instance, r *Result) {
	filterSeconds.WithLabelValues(in.Kind).Observe(r.Took.Seconds())
	word := "ok"
	if r.Err != nil {
		word = "error"
	}
	filterResults.WithLabelValues(in.Kind, word).Inc()
}

// inspect keeps a filter's panic from ending anybody's session.
func inspect(ctx context.Context, in *Instance, tx *Transaction) (f Finding, err error) {
	defer func() {
		if p := recover(); p != nil {
			CountPanic("filter")
			f, err = Finding{}, fmt.Errorf("filter %s panicked: %v\n%s", in.Name, p, debug.Stack())
		}
	}()
	return in.Filter.Inspect(ctx, tx)
}
