package content

import (
	"unicode/utf8"

	"github.com/forepost/forepost/filters/internal/text"
)

// engine finds the words and the literals of all instances in a text. It holds
// no instance, only strings.
type engine struct {
	words, literals     *automaton
	wordIDs, literalIDs map[string]int32
	edges               []edge // by word
}

func newEngine(fs []*filter, limit int) (*engine, error) {
	e := &engine{wordIDs: map[string]int32{}, literalIDs: map[string]int32{}}
	var words, literals []string
	number := func(ids map[string]int32, list []string, s string) []string {
		if _, ok := ids[s]; !ok {
			ids[s] = int32(len(list))
			list = append(list, s)
		}
		return list
	}
	for _, f := range fs {
		for _, w := range f.words {
			words = number(e.wordIDs, words, w.folded)
		}
		for _, p := range f.patterns {
			for _, l := range p.literals {
				literals = number(e.literalIDs, literals, l)
			}
		}
	}
	for _, w := range words {
		first, _ := utf8.DecodeRuneInString(w)
		last, _ := utf8.DecodeLastRuneInString(w)
		e.edges = append(e.edges, edge{joins(first), joins(last)})
	}
	var err error
	if e.words, err = newAutomaton(words, limit); err == nil {
		e.literals, err = newAutomaton(literals, limit)
	}
	return e, err
}

// found has the words and literals that stand in an area.
type found struct{ words, literals []bool }

// scanKey is one area read by one engine.
type scanKey struct {
	e    *engine
	area string
}

// scan reads an area of a message: once for all instances.
func (e *engine) scan(t *text.Text, name string, a text.Area) found {
	return t.Memo(scanKey{e, name}, func() any {
		f := found{make([]bool, len(e.edges)), make([]bool, len(e.literalIDs))}
		if len(f.words) > 0 {
			s := a.Folded()
			e.words.find(s, func(id int32, from, to int) {
				f.words[id] = f.words[id] || e.edges[id].whole(s, from, to)
			})
		}
		if len(f.literals) > 0 {
			e.literals.find(a.Lower(), func(id int32, _, _ int) { f.literals[id] = true })
		}
		return f
	}).(found)
}

// may tells whether one of the literals was found; a pattern without any may
// match everywhere.
func (f found) may(literals []int32) bool {
	for _, id := range literals {
		if f.literals[id] {
			return true
		}
	}
	return len(literals) == 0
}

// numbers are the words and the literals of the patterns of one instance, as an
// engine numbers them.
type numbers struct {
	of       *engine // the pool's at the time
	engine   *engine // the same, or the instance's own
	words    []int32
	literals [][]int32
}

// numbersNow are those of the engine in use, looked up once for each engine.
func (f *filter) numbersNow() (*numbers, error) {
	shared := f.pool.current()
	if n := f.numbers.Load(); n != nil && n.of == shared {
		return n, nil
	}
	n := &numbers{of: shared, engine: shared}
	if shared == tooMany {
		var err error
		if n.engine, err = newEngine([]*filter{f}, f.pool.limit); err != nil {
			return nil, err
		}
	}
	for _, w := range f.words {
		n.words = append(n.words, n.engine.wordIDs[w.folded])
	}
	for _, p := range f.patterns {
		var ids []int32
		for _, l := range p.literals {
			ids = append(ids, n.engine.literalIDs[l])
		}
		n.literals = append(n.literals, ids)
	}
	f.numbers.Store(n)
	return n, nil
}
