package content

import (
	"fmt"
	"slices"
)

// automaton finds many strings in one pass over a text (Aho and Corasick,
// 1975), compiled to a table: the cost of a text does not depend on how many
// strings there are. Octets that stand in no string share a column, so that the
// table of 1,000 words takes about a megabyte.
type automaton struct {
	class [256]uint8 // the column of an octet; 0: stands in no string
	width int32
	next  []int32 // state*width+column to the next state
	ends  []int32 // by state: the string that ends here, -1 for none
	also  []int32 // by state: the longest other state on the way back that ends one, 0 for none
	size  []int32 // octets by string
}

// maxTable is how many entries of four octets a table may have.
const maxTable = 1 << 24

// newAutomaton compiles strings. They are UTF-8, not empty,
// and no two are equal; a match tells the index. limit is how many entries
// the table may have.
func newAutomaton(words []string, limit int) (*automaton, error) {
	a := &automaton{width: 1}
	octets := 1
	for _, w := range words {
		octets += len(w)
		a.size = append(a.size, int32(len(w)))
		for i := range len(w) {
			if c := w[i]; a.class[c] == 0 {
				a.class[c] = uint8(a.width)
				a.width++
			}
		}
	}
	if int64(octets)*int64(a.width) > int64(limit) {
		return nil, fmt.Errorf("the words are %d octets together, which is too much for one table; leave out the rarest", octets)
	}
	a.trie(words)
	a.complete()
	return a, nil
}

func (a *automaton) row() int32 {
	s := int32(len(a.ends))
	a.next = append(a.next, slices.Repeat([]int32{-1}, int(a.width))...)
	a.ends = append(a.ends, -1)
	return s
}

// trie makes a state for each beginning of a string.
func (a *automaton) trie(words []string) {
	a.row()
	for id, w := range words {
		s := int32(0)
		for i := range len(w) {
			at := s*a.width + int32(a.class[w[i]])
			if a.next[at] < 0 {
				t := a.row()
				a.next[at] = t
			}
			s = a.next[at]
		}
		a.ends[s] = int32(id)
	}
	a.also = make([]int32, len(a.ends))
}

// complete fills in where a text goes on that does not continue the string: at
// the longest end of what was read that begins another one. States are visited
// in the order of their length, so that the shorter ones are complete.
func (a *automaton) complete() {
	back := make([]int32, len(a.ends))
	queue := []int32{0}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		for c := range a.width {
			at := s*a.width + c
			t, up := a.next[at], int32(0)
			if s != 0 {
				up = a.next[back[s]*a.width+c]
			}
			if t < 0 {
				a.next[at] = max(up, 0)
				continue
			}
			back[t] = up
			a.also[t] = up
			if a.ends[up] < 0 {
				a.also[t] = a.also[up]
			}
			queue = append(queue, t)
		}
	}
}

// find calls f for each string in s with where it begins and ends.
func (a *automaton) find(s string, f func(id int32, from, to int)) {
	state := int32(0)
	for i := range len(s) {
		state = a.next[state*a.width+int32(a.class[s[i]])]
		for t := state; t != 0; t = a.also[t] {
			if id := a.ends[t]; id >= 0 {
				f(id, i+1-int(a.size[id]), i+1)
			}
		}
	}
}
