package dryrun

import (
	"context"
	"sync"

	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// watch gathers which rules ran, and the records of messages. It is safe for
// concurrent use: a server runs beside whoever reads.
type watch struct {
	mu      sync.Mutex
	rules   []*trail.Rule // since they were taken last
	records []*trail.Record
	tx      *pipeline.Transaction // that rules were asked about last
	noted   pipeline.Ledger       // about the first recipient, in the end
}

// plan is a plan whose rules are watched.
func (w *watch) plan(p pipeline.Plan) pipeline.Plan { return watchedPlan{p, w} }

type watchedPlan struct {
	pipeline.Plan
	w *watch
}

// Run is the plan's; what it adds to the traces is noted.
func (p watchedPlan) Run(ctx context.Context, at pipeline.Stage, tx *pipeline.Transaction) []pipeline.Verdict {
	session, message := len(tx.Session.Trace), 0
	if tx.Trace != nil {
		message = len(tx.Trace.Rules)
	}
	vs := p.Plan.Run(ctx, at, tx)
	p.w.mu.Lock()
	defer p.w.mu.Unlock()
	p.w.tx = tx
	if at == pipeline.Data && len(vs) > 0 {
		p.w.noted = vs[0].Ledger
	}
	p.w.rules = append(p.w.rules, tx.Session.Trace[min(session, len(tx.Session.Trace)):]...)
	if tx.Trace != nil {
		p.w.rules = append(p.w.rules, tx.Trace.Rules[min(message, len(tx.Trace.Rules)):]...)
	}
	return vs
}

// take gives the rules that ran since the last time.
func (w *watch) take() []*trail.Rule {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.rules
	w.rules = nil
	return out
}

// last is the newest record, nil where there is none.
func (w *watch) last() *trail.Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.records) == 0 {
		return nil
	}
	return w.records[len(w.records)-1]
}

// seen is the transaction that rules were asked about last, with what was noted.
func (w *watch) seen() (*pipeline.Transaction, pipeline.Ledger) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.tx, w.noted
}

// count is how many records there are.
func (w *watch) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.records)
}

// Record is trail.Writer.
func (w *watch) Record(r *trail.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.records = append(w.records, r)
}

// Event is trail.Writer: nothing happens to a message that nobody keeps.
func (w *watch) Event(trail.Event) {}
