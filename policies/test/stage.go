package test

import (
	"context"
	"errors"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/pipeline"
)

// stage is what cases are played on: the filters find what the case states, the
// state is as the case says, and the clock stands. It is set for one case after
// the other.
type stage struct {
	memory
	facts  map[string]any    // by path: "dnsbl.zen.listed"
	failed map[string]string // filters that could not tell, and why, by prefix: "dnsbl.zen"
	now    time.Time
}

func (s *stage) time() time.Time {
	if s.now.IsZero() {
		return clock
	}
	return s.now
}

// set begins a case.
func (s *stage) set(c *scene) {
	s.facts, s.failed, s.now = c.facts, c.failed, c.now
	s.memory = memory{counters: c.counters, waited: c.waited, now: s.time}
}

// kinds are the filters of the build, finding what cases state.
func (s *stage) kinds(all []filters.Kind) []filters.Kind {
	out := make([]filters.Kind, len(all))
	for i, k := range all {
		out[i] = s.kind(k)
	}
	return out
}

func (s *stage) kind(k filters.Kind) filters.Kind {
	made := k
	made.Slow = false
	made.Build = func(settings any, d filters.Deps) (pipeline.Filter, error) {
		f := &stated{stage: s, schema: k.Facts, prefix: d.Name}
		if !k.Named && k.Root != "" {
			f.prefix = k.Root
		}
		if !k.Offline {
			return f, nil
		}
		var err error
		f.real, err = k.Build(settings, d)
		return f, err
	}
	return made
}

// stated is a filter that finds what the case states; one that needs nothing but
// the message and the state looks for itself, and the case has the last word.
type stated struct {
	stage  *stage
	schema pipeline.Schema
	prefix string
	real   pipeline.Filter // nil where the case states everything
}

// Inspect gives the facts of the case, and neutral ones where it states none.
func (f *stated) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	fd := pipeline.Finding{Facts: pipeline.Facts{}}
	var err error
	if f.real != nil {
		if fd, err = f.real.Inspect(ctx, tx); fd.Facts == nil {
			fd.Facts = pipeline.Facts{}
		}
	}
	for _, spec := range f.schema {
		v, ok := f.stage.facts[f.prefix+"."+spec.Name]
		switch {
		case ok:
			fd.Facts[spec.Name] = v
			if v == "temperror" && has(spec.Words, "temperror") {
				err = errors.New("the case says temperror")
			}
		case f.real == nil && has(spec.Words, "none"):
			fd.Facts[spec.Name] = "none"
		}
	}
	if why, ok := f.stage.failed[f.prefix]; ok {
		err = errors.New(why)
	}
	return fd, err
}

// Settle gives back what the case was charged, as at the SMTP port.
func (f *stated) Settle(ctx context.Context, fd pipeline.Finding, taken bool) {
	if s, ok := f.real.(pipeline.Settler); ok {
		s.Settle(ctx, fd, taken)
	}
}

func has(words []string, w string) bool {
	for _, x := range words {
		if x == w {
			return true
		}
	}
	return false
}
