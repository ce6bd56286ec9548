package vol

import (
	"slices"
	"sort"
)

// idset is a set of numbers as closed ranges in order. UIDs that went and
// mailboxes that were deleted lie close together, so it stays small.
type idset []span

type span struct{ from, to uint64 }

// add puts [from, to] into the set.
func (s *idset) add(from, to uint64) {
	if from > to {
		return
	}
	r := *s
	i := sort.Search(len(r), func(i int) bool { return r[i].to+1 >= from })
	k := i
	for ; k < len(r) && r[k].from <= to+1; k++ {
		from, to = min(from, r[k].from), max(to, r[k].to)
	}
	*s = slices.Replace(r, i, k, span{from, to})
}

// addAll puts every number of t into the set.
func (s *idset) addAll(t idset) {
	for _, r := range t {
		s.add(r.from, r.to)
	}
}

// has tells whether n is in the set.
func (s idset) has(n uint64) bool {
	i := sort.Search(len(s), func(i int) bool { return s[i].to >= n })
	return i < len(s) && s[i].from <= n
}

// holes are the numbers from 1 to below end that are not among ids, which are
// in order.
func holes(end uint64, ids func(yield func(uint64) bool)) idset {
	var s idset
	next := uint64(1)
	for id := range ids {
		if id >= end {
			break
		}
		if id > next {
			s = append(s, span{next, id - 1})
		}
		next = id + 1
	}
	if next < end {
		s = append(s, span{next, end - 1})
	}
	return s
}
