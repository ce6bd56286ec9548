package expr

import (
	"context"
	"time"

	"github.com/forepost/forepost/relay/pipeline"
)

// Run is one evaluation of a plan over a transaction: what closures read. It
// belongs to one goroutine.
type Run struct {
	Ctx       context.Context
	Tx        *pipeline.Transaction // with the recipient in question as Current
	Instances []*pipeline.Instance  // by slot
	Clock     func() time.Time

	Points pipeline.Points // score.total so far
	Tags   []string        // tags so far

	found  []found
	asked  []int // slots that stand in found
	gen    int   // of the recipient in question
	unsure []int // slots that could not tell, since Begin
	missed bool  // something was asked since Begin that a record does not have
	msg    message
}

// found is a finding as Run remembers it.
type found struct {
	gen     int // 0: not asked yet
	facts   pipeline.Facts
	unknown bool
	missing bool // its record has it not

	peeked *Fact // the fact that was asked by name last, and its word: many rules ask the same
	word   string
}

// Reset makes r ready for a transaction; it keeps memory that it can use again.
// It is new, or has forgotten.
func (r *Run) Reset(ctx context.Context, tx *pipeline.Transaction, instances []*pipeline.Instance, clock func() time.Time) {
	if len(r.found) < len(instances) {
		r.found = make([]found, len(instances))
	}
	r.Ctx, r.Tx, r.Instances, r.Clock, r.gen = ctx, tx, instances, clock, 1
}

// Forget lets go of everything that a message brought, before the Run is kept
// for the next one. It touches only what was used: most stages use little, and
// clearing pointers costs more than it seems while the collector runs.
func (r *Run) Forget() {
	for _, slot := range r.asked {
		r.found[slot] = found{}
	}
	r.asked = r.asked[:0]
	if cap(r.Tags) > 0 {
		clear(r.Tags[:cap(r.Tags)])
	}
	if r.msg.read != 0 || r.msg.named != nil {
		r.msg = message{}
	}
	r.Ctx, r.Tx, r.Instances, r.Clock = nil, nil, nil, nil
	r.Points, r.Tags, r.gen, r.unsure, r.missed = 0, r.Tags[:0], 0, r.unsure[:0], false
}

// For puts another recipient in question.
func (r *Run) For(to int) {
	if r.Tx.Current != to {
		r.Tx = r.Tx.For(to)
	}
	r.gen++
}

// Begin forgets which filters could not tell.
func (r *Run) Begin() { r.unsure, r.missed = r.unsure[:0], false }

// Missed tells whether something was asked since Begin that is not known since
// the message is judged from its record.
func (r *Run) Missed() bool { return r.missed }

func (r *Run) miss(what string) {
	r.missed = true
	r.Tx.Past.Miss(what)
}

// Unsure are the slots of the filters that were asked since Begin and could not
// tell. The slice holds until the next Begin.
func (r *Run) Unsure() []int { return r.unsure }

// find asks the filter in a slot, once.
func (r *Run) find(slot int) *found {
	f := &r.found[slot]
	in := r.Instances[slot]
	if f.gen != 0 && (f.gen == r.gen || in.Scope != pipeline.PerRecipient) {
		return f
	}
	if f.gen == 0 {
		r.asked = append(r.asked, slot)
	}
	facts, err := r.Tx.Found(r.Ctx, in)
	*f = found{gen: r.gen, facts: facts, unknown: err != nil, missing: err == pipeline.ErrNotRecorded}
	return f
}

// Ask runs the filter in a slot, for verbs that are a filter in place. known is
// false where it could not tell.
func (r *Run) Ask(slot int) (facts pipeline.Facts, known bool) {
	f := r.find(slot)
	if f.unknown {
		r.mark(slot)
	}
	return f.facts, !f.unknown
}

func (r *Run) mark(slot int) {
	if r.found[slot].missing {
		r.miss(r.Instances[slot].Name)
	}
	for _, s := range r.unsure {
		if s == slot {
			return
		}
	}
	r.unsure = append(r.unsure, slot)
}
