package trail

import (
	"encoding/binary"
	"hash/maphash"
	"math/rand/v2"
	"slices"
	"sync"
)

// A record would be mostly the same words again and again: paths of rules, names
// of filters and facts, what rules came to. So each segment has a dictionary, and
// records name words by their number. It is learned while records are written:
// the words that a record is the first to need stand before it in the log, and
// when a segment begins the dictionary is written into it, whole, before a new
// one is begun. Each segment can so be read by itself.

// word is a text, or a line of a trace: stage, path, outcome and why.
type word struct {
	text string
	rule *Rule // standing
}

type ruleWord struct{ stage, path, outcome, why string }

func (w word) octets() int {
	if w.rule != nil {
		return len(w.rule.Stage) + len(w.rule.Path) + len(w.rule.Outcome) + len(w.rule.Why) + 8
	}
	return len(w.text) + 8
}

// Bounds of a dictionary. Words that are full of what strangers say are learned
// where they come a second time, and no more than these.
const (
	maxWords     = 1 << 16
	maxWordsLen  = 2 << 20
	maxLearned   = 1 << 13
	maxWordLen   = 200
	secondChance = 1 << 12
)

// dictionary is the one that is being learned. It is guarded by Trail.encoding.
type dictionary struct {
	id      uint32
	texts   map[string]uint64
	rules   map[ruleWord]uint64
	lines   map[*Rule]uint64 // of rules: those that were met as standing lines
	list    []word
	octets  int
	learned int
	told    int // how many of list stand in the log
	seen    [secondChance]uint32
}

var wordSeed = maphash.MakeSeed()

func newDictionary() *dictionary {
	return &dictionary{id: rand.Uint32(), texts: map[string]uint64{}, rules: map[ruleWord]uint64{}, lines: map[*Rule]uint64{}}
}

// again tells whether something was seen before, as far as one remembers.
func (d *dictionary) again(h uint64) bool {
	slot, mark := h%secondChance, uint32(h>>32)|1
	was := d.seen[slot] == mark
	d.seen[slot] = mark
	return was
}

func (d *dictionary) hasRoom(w word) bool {
	return len(d.list) < maxWords && d.octets+w.octets() <= maxWordsLen
}

func (d *dictionary) add(w word) uint64 {
	n := uint64(len(d.list))
	d.list = append(d.list, w)
	d.octets += w.octets()
	return n
}

// text finds the number of a text, which it learns at once (ours), or where it
// comes a second time.
func (d *dictionary) text(s string, ours bool) (n uint64, ok bool) {
	if n, ok = d.texts[s]; ok || len(s) > maxWordLen || len(s) < 2 {
		return n, ok
	}
	if !ours {
		if d.learned >= maxLearned || !d.again(maphash.String(wordSeed, s)) {
			return 0, false
		}
		d.learned++
	}
	w := word{text: s}
	if !d.hasRoom(w) {
		return 0, false
	}
	n = d.add(w)
	d.texts[s] = n
	return n, true
}

// rule finds the number of a line of a trace, likewise.
func (d *dictionary) rule(r *Rule) (n uint64, ok bool) {
	if !r.standing {
		return d.line(ruleWord{r.Stage, r.Path, r.Outcome, r.Why})
	}
	if n, ok = d.lines[r]; ok {
		return n, true
	}
	if n, ok = d.line(ruleWord{r.Stage, r.Path, r.Outcome, r.Why}); ok && len(d.lines) < maxWords {
		d.lines[r] = n
	}
	return n, ok
}

func (d *dictionary) line(r ruleWord) (n uint64, ok bool) {
	if n, ok = d.rules[r]; ok || len(r.why) > maxWordLen {
		return n, ok
	}
	if !d.again(maphash.Comparable(wordSeed, r)) {
		return 0, false
	}
	w := word{rule: Line(r.stage, r.path, r.outcome, r.why)}
	if !d.hasRoom(w) {
		return 0, false
	}
	n = d.add(w)
	d.rules[r] = n
	return n, true
}

// encodeWords is the entry that defines the words from first on.
func (d *dictionary) encodeWords(first int) []byte {
	p := make([]byte, fixedLen, fixedLen+64)
	p[0] = isWords
	p = binary.LittleEndian.AppendUint32(p, d.id)
	p = binary.AppendUvarint(p, uint64(first))
	put := func(s string) {
		p = binary.AppendUvarint(p, uint64(len(s)))
		p = append(p, s...)
	}
	for _, w := range d.list[first:] {
		if w.rule == nil {
			p = append(p, 0)
			put(w.text)
			continue
		}
		p = append(p, 1)
		put(w.rule.Stage)
		put(w.rule.Path)
		put(w.rule.Outcome)
		put(w.rule.Why)
	}
	return p
}

// decodeWords reads such an entry.
func decodeWords(p []byte) (id uint32, first int, list []word, err error) {
	if len(p) < 4 {
		return 0, 0, nil, errEntry
	}
	c := coder{p: p[4:]}
	n := c.next()
	for len(c.p) > 0 && c.err == nil {
		kind := c.p[0]
		c.p = c.p[1:]
		if kind == 0 {
			list = append(list, word{text: c.plain()})
			continue
		}
		list = append(list, word{rule: Line(c.plain(), c.plain(), c.plain(), c.plain())})
	}
	if n > maxWords || len(list) > maxWords {
		return 0, 0, nil, errEntry
	}
	return binary.LittleEndian.Uint32(p), int(n), list, c.err
}

// tables are the dictionaries that were read, and the one that is being learned.
type tables struct {
	mu   sync.RWMutex
	m    map[uint32][]word
	used []uint32 // in the order of their coming
	keep uint32   // the one that is being learned stays
}

// maxTables bounds how many dictionaries are kept in memory.
const maxTables = 64

// learn takes what an entry defines.
func (t *tables) learn(id uint32, first int, list []word) {
	t.mu.Lock()
	defer t.mu.Unlock()
	have, known := t.m[id]
	if !known {
		if t.m == nil {
			t.m = map[uint32][]word{}
		}
		t.used = append(t.used, id)
		t.makeRoom()
	}
	switch {
	case first == len(have): // nearly always: nobody reads behind the end that he knows
		have = append(have, list...)
	case first < len(have) && !slices.ContainsFunc(have[first:min(first+len(list), len(have))], word.unknown):
		have = append(have, list[min(len(have)-first, len(list)):]...)
	default:
		have = append(make([]word, 0, first+len(list)), have...)
		have = have[:max(len(have), first+len(list))]
		copy(have[first:], list)
	}
	t.m[id] = have
}

// makeRoom lets the oldest go.
func (t *tables) makeRoom() {
	if len(t.used) <= maxTables {
		return
	}
	at := 0
	if t.used[0] == t.keep {
		at = 1
	}
	delete(t.m, t.used[at])
	t.used = slices.Delete(t.used, at, at+1)
}

// own is learn of the dictionary that is being learned.
func (t *tables) own(id uint32, first int, list []word) {
	t.mu.Lock()
	t.keep = id
	t.mu.Unlock()
	t.learn(id, first, list)
}

// get is a dictionary as far as it is known; not to be changed.
func (t *tables) get(id uint32) []word {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.m[id]
}

func (w word) known() bool { return w.rule != nil || w.text != "" }

func (w word) unknown() bool { return !w.known() }
