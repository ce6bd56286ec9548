package trail

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/trail/index"
)

// learnWords takes what an entry defines.
func (t *Trail) learnWords(e *entry) {
	if id, first, list, err := decodeWords(e.text); err == nil {
		t.tables.learn(id, first, list)
	}
}

// read reads a record. Where it needs words that are not in memory, they are
// looked for in its segment and the one before it, in which a record can have
// begun that was written at the very end of it.
func (t *Trail) read(e *entry, segment uint32) (*Record, error) {
	r, need, err := e.decodeRecord(&t.tables)
	for back := uint32(0); need && err == nil && back < 2 && back < segment; back++ {
		if !t.findWords(segment-back, e) {
			continue
		}
		r, need, err = e.decodeRecord(&t.tables)
	}
	return r, err
}

// lostWords are a dictionary that was looked for in a segment in vain.
type lostWords struct {
	segment uint32
	dict    string
}

// findWords looks for the dictionary of an entry that is in a segment, unless that
// was done in vain before: at the beginning of the next one, where all of it stands
// in one place when that was begun, and else where it was learned.
func (t *Trail) findWords(segment uint32, e *entry) bool {
	key := lostWords{segment, string(e.text[1:recordTop])}
	if _, lost := t.lost.Load(key); lost {
		return false
	}
	lacking := func() bool {
		_, need, err := e.decodeRecord(&t.tables)
		return need || err != nil
	}
	id := binary.LittleEndian.Uint32(e.text[1:])
	if err := t.nextWords(segment+1, id); err == nil && !lacking() {
		return true
	}
	for _, s := range t.j.Segments() {
		if s.Number != segment {
			continue
		}
		if err := t.catalog.wordsOf(s, id, lacking); err != nil {
			t.log.Warn("words of the trail cannot be read", "segment", segment, "error", err)
		}
	}
	if lacking() {
		t.lost.Store(key, time.Now())
		return false
	}
	return true
}

// nextWordsLen is how much of a segment is looked through for the dictionary of
// the one before it.
const nextWordsLen = 1 << 20

var errEnough = errors.New("enough was read")

// nextWords learns the whole dictionary of that number at the beginning of a segment.
func (t *Trail) nextWords(segment, id uint32) error {
	err := t.j.ScanFrom(context.Background(), segment, 0, func(at, _ int64, _ journal.Kind, p []byte) error {
		if at > nextWordsLen {
			return errEnough
		}
		e, err := decode(p)
		if err != nil || e.what != isWords {
			return err
		}
		if have, first, list, err := decodeWords(e.text); err == nil && have == id && first == 0 {
			t.tables.learn(have, first, list)
			return errEnough
		}
		return nil
	})
	if err == errEnough {
		err = nil
	}
	return err
}

// wordsRow is what entries that define words have.
var wordsRow = &wanted{rows: [][]index.Token{{index.Of(tokWords, "")}}}

// wordsOf learns the dictionary of that number where it stands in a segment: whole
// behind all else where the trail was closed, which is looked at first, or word by
// word in the order in which it was learned.
func (c *catalog) wordsOf(s journal.Segment, id uint32, lacking func() bool) error {
	learn := func(p []byte) error {
		e, err := decode(p)
		if err == nil && e.what == isWords && len(e.text) >= dictLen && binary.LittleEndian.Uint32(e.text) == id {
			c.t.learnWords(&e)
		}
		return err
	}
	parts, covered := c.wordsIn(c.of(s.Number))
	err := c.t.j.ScanFrom(context.Background(), s.Number, covered, func(_, _ int64, _ journal.Kind, p []byte) error { return learn(p) })
	if err != nil || !lacking() {
		return err
	}
	if err := c.eachWords(s.Number, newest(parts), learn); err != nil || !lacking() {
		return err
	}
	return c.eachWords(s.Number, parts, learn)
}

// newest is the last batch in which something was found.
func newest(parts []found) []found {
	for _, part := range slices.Backward(parts) {
		for _, b := range slices.Backward(part.batches) {
			if part.entries.Any(b.First, b.N) {
				return []found{{batches: []index.Batch{b}, entries: part.entries}}
			}
		}
	}
	return nil
}

// eachWords hands the entries that were found in parts to f, oldest first.
func (c *catalog) eachWords(segment uint32, parts []found, f func(p []byte) error) error {
	for _, part := range parts {
		for _, b := range part.batches {
			if !part.entries.Any(b.First, b.N) {
				continue
			}
			n := 0
			err := c.t.j.ScanBatch(context.Background(), segment, b.At, func(_ journal.Kind, p []byte) error {
				i := n - b.Skip
				if n++; i >= 0 && i < b.N && part.entries.Has(b.First+i) {
					return f(p)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// wordsIn finds them in the chunks of a segment; covered is how far these reach.
func (c *catalog) wordsIn(x *indexed) (parts []found, covered int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if c.open(x) != nil || x.damaged {
		return nil, 0
	}
	for _, chunk := range x.chunks {
		var err error
		if parts, err = wordsRow.ask(parts, chunk); err != nil {
			return nil, 0
		}
		_, covered = chunk.Covers()
	}
	return parts, covered
}

// recall learns the words of what is indexed already, for what comes behind it.
// If it fails, who needs them looks for them.
func (c *catalog) recall(x *indexed) {
	parts, _ := c.wordsIn(x)
	c.eachWords(x.number, parts, func(p []byte) error {
		e, err := decode(p)
		if err == nil && e.what == isWords {
			c.t.learnWords(&e)
		}
		return err
	})
}
