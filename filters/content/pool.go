package content

import (
	"strings"
	"sync"
	"sync/atomic"
	"unicode"
	"unicode/utf8"
	"weak"

	"github.com/forepost/forepost/filters/internal/text"
)

// pool makes one automaton of the words of all instances, so that a message is
// read once however many there are. Instances are built, at a reload, while
// older ones are still in use: the pool holds them weakly and compiles anew when
// the first message comes after a change.
type pool struct {
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

// current is the engine of all members, compiled if need be.
func (p *pool) current() (*engine, error) {
	if e := p.engine.Load(); e != nil {
		return e, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.engine.Load(); e != nil {
		return e, nil
	}
	var alive []*filter
	var kept []weak.Pointer[filter]
	for _, w := range p.members {
		if f := w.Value(); f != nil {
			alive, kept = append(alive, f), append(kept, w)
		}
	}
	p.members = kept
	e, err := newEngine(alive)
	if err == nil {
		p.engine.Store(e)
	}
	return e, err
}

// engine finds the words and the literals of all instances in a text. It holds
// no instance, only strings.
type engine struct {
	words, literals     *automaton
	wordIDs, literalIDs map[string]int32
	edges               []edge // by word
}

// edge tells at which sides of a word a word must end.
type edge struct{ before, after bool }

func newEngine(fs []*filter) (*engine, error) {
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
	if e.words, err = newAutomaton(words); err == nil {
		e.literals, err = newAutomaton(literals)
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

// whole tells whether a word stands alone: not within a longer one.
func (e edge) whole(s string, from, to int) bool {
	if e.before {
		if r, _ := utf8.DecodeLastRuneInString(s[:from]); joins(r) {
			return false
		}
	}
	if e.after {
		if r, _ := utf8.DecodeRuneInString(s[to:]); joins(r) {
			return false
		}
	}
	return true
}

// unspaced are the scripts that put no blanks between words, or join endings to
// them: there a word may stand anywhere.
var unspaced = []*unicode.RangeTable{
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul,
	unicode.Thai, unicode.Lao, unicode.Khmer, unicode.Myanmar,
}

// joins tells whether r makes one word with a letter beside it.
func joins(r rune) bool {
	if r < utf8.RuneSelf {
		return 'a' <= r && r <= 'z' || '0' <= r && r <= '9' || 'A' <= r && r <= 'Z'
	}
	if r == utf8.RuneError || strings.ContainsRune("\u2019\u02bc", r) {
		return false
	}
	return (unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r)) && !unicode.In(r, unspaced...)
}
