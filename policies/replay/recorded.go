package replay

import (
	"context"
	"errors"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// kind is a filter of the build that finds what the record has.
func (j *Judge) kind(k filters.Kind) filters.Kind {
	made := k
	made.Slow = false
	made.Build = func(settings any, d filters.Deps) (pipeline.Filter, error) {
		f := &recorded{j: j, name: d.Name, memory: k.Name == "ratelimit" || k.Name == "greylist"}
		if f.memory || len(k.Needs) > 0 || !k.Offline && !j.o.Live || k.Offline && j.o.Bodies == nil {
			return f, nil
		}
		real, err := k.Build(settings, d)
		f.real, f.offline = real, k.Offline
		return f, err
	}
	return made
}

// recorded is a filter of which the record says what it found. Where it does not,
// one that needs only the message looks at it, if it is at hand.
type recorded struct {
	j       *Judge
	name    string
	memory  bool // limits and greylists: what they said then
	real    pipeline.Filter
	offline bool
}

// Inspect gives the finding of the record.
func (f *recorded) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	if fact := f.fact(tx); fact != nil {
		return findingOf(fact)
	}
	if f.real != nil && (!f.offline || f.j.one.past.whole) {
		return f.real.Inspect(ctx, tx)
	}
	return pipeline.Finding{}, pipeline.ErrNotRecorded
}

// fact is what the record has, if the filter was set as it is now.
func (f *recorded) fact(tx *pipeline.Transaction) *trail.Fact {
	s := &f.j.one
	in, ok := f.j.plans.Set.Get(f.name)
	var fact *trail.Fact
	if ok && in.Scope == pipeline.PerRecipient && tx.Current < len(tx.To) {
		fact = s.facts[factKey{f.name, s.number[tx.To[tx.Current].Address]}]
	}
	if fact == nil {
		fact = s.facts[factKey{f.name, 0}]
	}
	if fact == nil || f.memory || in == nil {
		return fact
	}
	if fact.Conf != in.Conf || len(fact.Left) > 0 && f.real != nil && s.past.whole {
		return nil
	}
	return fact
}

func findingOf(fact *trail.Fact) (pipeline.Finding, error) {
	fd := pipeline.Finding{Facts: make(pipeline.Facts, len(fact.Values)), Reason: fact.Reason}
	for k, v := range fact.Values {
		fd.Facts[k] = v
	}
	for _, k := range fact.Left {
		fd.Facts[k] = pipeline.Missing{}
	}
	if fact.Error != "" {
		return fd, errors.New(fact.Error)
	}
	return fd, nil
}
