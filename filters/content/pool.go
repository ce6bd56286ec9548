package content

import (
	"sync"
	"sync/atomic"
	"weak"
)

// pool makes one automaton of the words of all instances, so that a message is
// read once however many there are. Instances are built, at a reload, while
// older ones are still in use: the pool holds them weakly and compiles anew when
// the first message comes after a change.
type pool struct {
	limit int // entries of a table

	mu      sync.Mutex
	members []weak.Pointer[filter]
	engine  atomic.Pointer[engine] // nil: to be compiled
}

func (p *pool) add(f *filter) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.members = append(p.members, weak.Make(f))
	p.engine.Store(nil)
}

// tooMany is the engine where the words of all instances are too many for one
// table: then each instance has its own.
var tooMany = &engine{}

// current is the engine of all members, compiled if need be.
func (p *pool) current() *engine {
	if e := p.engine.Load(); e != nil {
		return e
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.engine.Load(); e != nil {
		return e
	}
	var alive []*filter
	var kept []weak.Pointer[filter]
	for _, w := range p.members {
		if f := w.Value(); f != nil {
			alive, kept = append(alive, f), append(kept, w)
		}
	}
	p.members = kept
	e, err := newEngine(alive, p.limit)
	if err != nil {
		e = tooMany
	}
	p.engine.Store(e)
	return e
}
