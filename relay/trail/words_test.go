package trail

import (
	"fmt"
	"testing"
)

// TestLearn: in whatever order the parts of a dictionary are read, and however
// often, it is the same in the end; who has a part of it keeps what he has.
func TestLearn(t *testing.T) {
	const n = 90
	var all []word
	for i := range n {
		all = append(all, word{text: fmt.Sprint("word", i)})
	}
	for _, order := range [][]int{{0, 30, 60}, {60, 30, 0}, {30, 0, 30, 60}, {0, 60, 0, 30, 60}, {0, 30, 15, 60}} {
		var ts tables
		var had [][]word
		for _, first := range order {
			ts.learn(7, first, all[first:first+30])
			had = append(had, ts.get(7))
		}
		got := ts.get(7)
		if len(got) != n {
			t.Fatalf("%v: %d words", order, len(got))
		}
		for i, w := range got {
			if w != all[i] {
				t.Errorf("%v: word %d is %q", order, i, w.text)
			}
		}
		for i, list := range had {
			if first := order[i]; len(list) < first+30 || list[first] != all[first] || list[first+29] != all[first+29] {
				t.Errorf("%v: what was learned %d. has changed", order, i+1)
			}
		}
	}
}

// BenchmarkLearn: to learn word by word costs nothing like copying what is there.
func BenchmarkLearn(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var ts tables
		for i := range 8000 {
			ts.learn(7, i, []word{{text: "word"}})
		}
	}
}
