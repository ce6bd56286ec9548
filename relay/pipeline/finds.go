package pipeline

import (
	"iter"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

// findKey is what a run of a filter is about.
type findKey struct {
	in *Instance
	to int
}

// fewFinds is how many runs are looked through one by one, which is quicker than
// a map. Only a message for many recipients has more.
const fewFinds = 24

// finds remembers what was found, so that a filter runs once for each thing
// that it is about. All but drop want mu held.
type finds struct {
	any  atomic.Bool // there was one: who asks where there are none need not lock
	mu   sync.Mutex
	few  []oneFind
	many map[findKey]*find // in place of few, beyond its length
}

type oneFind struct {
	key findKey
	run *find
}

// get is the run about a thing, nil where there is none.
func (fs *finds) get(k findKey) *find {
	for i := range fs.few {
		if fs.few[i].key == k {
			return fs.few[i].run
		}
	}
	return fs.many[k]
}

// put adds a run about a thing that has none.
func (fs *finds) put(k findKey, f *find) {
	fs.any.Store(true)
	switch {
	case fs.many != nil:
		fs.many[k] = f
	case len(fs.few) < fewFinds:
		fs.few = append(fs.few, oneFind{k, f})
	default:
		fs.many = maps.Collect(fs.all())
		fs.many[k], fs.few = f, nil
	}
}

// all are the runs, in no order.
func (fs *finds) all() iter.Seq2[findKey, *find] {
	return func(yield func(findKey, *find) bool) {
		for _, one := range fs.few {
			if !yield(one.key, one.run) {
				return
			}
		}
		for k, f := range fs.many {
			if !yield(k, f) {
				return
			}
		}
	}
}

// remove forgets the runs that which tells.
func (fs *finds) remove(which func(findKey, *find) bool) {
	fs.few = slices.DeleteFunc(fs.few, func(one oneFind) bool { return which(one.key, one.run) })
	maps.DeleteFunc(fs.many, which)
}

// drop forgets a run, unless another one has taken its place.
func (fs *finds) drop(f *find) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.remove(func(_ findKey, other *find) bool { return other == f })
}
