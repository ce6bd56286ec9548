package trail

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/trail/index"
)

var errAnew = errors.New("trail: an index is damaged, and is made anew")

// catchUp indexes what was written of a segment since.
func (c *catalog) catchUp(ctx context.Context, x *indexed, sealed bool) error {
	from, whole, err := c.begin(x)
	if err != nil || whole {
		return err
	}
	b := &batch{c: c, x: x, at: -1}
	err = c.t.j.ScanFrom(ctx, x.number, from, func(at, next int64, _ journal.Kind, p []byte) error {
		if at != b.at {
			if err := b.end(); err != nil {
				return err
			}
		}
		b.at, b.next = at, next
		return b.add(p)
	})
	if err == nil {
		err = b.end()
	}
	switch {
	case err != nil:
	case sealed:
		err = c.finish(x)
	default:
		err = c.keep(x)
	}
	switch {
	case err == errAnew:
		wake(c.kick)
		return nil
	case err != nil && ctx.Err() == nil: // what was made before the end stays good
		c.giveUp(x)
	}
	return err
}

// begin makes an index ready to be gone on with, from a place in its segment.
func (c *catalog) begin(x *indexed) (from int64, whole bool, err error) {
	x.mu.Lock()
	damaged := x.damaged
	x.mu.Unlock()
	if damaged {
		c.giveUp(x)
	}
	x.mu.Lock()
	err = c.open(x)
	from, whole = x.covered, x.whole
	x.mu.Unlock()
	if err != nil {
		return 0, false, fmt.Errorf("trail: %s: %w", c.name(x.number), err)
	}
	if !whole && !x.known {
		c.recall(x)
		x.known = true
	}
	return from, whole, nil
}

// batch is one of the journal's on its way into an index. It goes in whole: what a
// search finds covered is found.
type batch struct {
	c        *catalog
	x        *indexed
	at, next int64
	entries  []newEntry
	tokens   []index.Token // of all entries
}

type newEntry struct {
	millis int64
	tokens int // where its tokens end
}

// add reads one entry. One that cannot be read is there, without tokens.
func (b *batch) add(p []byte) error {
	e, err := decode(p)
	if err != nil {
		return err
	}
	t := b.c.t
	var r *Record
	if e.isOne() {
		if r, err = t.read(&e, b.x.number); err != nil {
			r = nil
		}
	} else if e.what == isWords {
		t.learnWords(&e)
	}
	b.tokens = append(b.tokens, b.x.tokens.of(&e, r)...)
	b.entries = append(b.entries, newEntry{e.at.UnixMilli(), len(b.tokens)})
	return nil
}

// end puts the batch in.
func (b *batch) end() error {
	x, entries := b.x, b.entries
	b.entries = b.entries[:0]
	for skip := 0; skip < len(entries); {
		if room := index.MaxEntries - x.tail.Len(); room < len(entries)-skip && x.tail.Len() > 0 {
			if err := b.c.flush(x, b.at); err != nil {
				return err
			}
		}
		n := min(len(entries), skip+index.MaxEntries)
		if !b.put(entries[:n], skip, n == len(entries)) {
			return errAnew
		}
		skip = n
	}
	b.tokens = b.tokens[:0]
	return nil
}

// put adds entries from skip on; all tells that these are the last of the batch.
// It fails where a search found the index damaged.
func (b *batch) put(entries []newEntry, skip int, all bool) bool {
	x, from := b.x, 0
	if skip > 0 {
		from = entries[skip-1].tokens
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.damaged {
		return false
	}
	for i := skip; i < len(entries); i++ {
		e := &entries[i]
		x.tail.Add(b.at, i, e.millis, b.tokens[from:e.tokens])
		from = e.tokens
	}
	if all {
		x.covered = b.next
	}
	return true
}

// flush makes a chunk of what is in memory. It covers the segment up to a place.
func (c *catalog) flush(x *indexed, to int64) error {
	if x.tail.Len() == 0 {
		return nil
	}
	p := x.tail.Encode(to)
	if _, err := x.file.WriteAt(p, x.size); err != nil {
		return err
	}
	chunk, err := index.Open(x.file, x.size, x.size+int64(len(p)))
	if err != nil {
		return err
	}
	x.size, x.kept = chunk.End(), 0
	x.mu.Lock()
	defer x.mu.Unlock()
	x.chunks = append(slices.Clip(x.chunks), chunk)
	x.tail.Reset()
	return nil
}

// keepStep is how many entries more make it worth to write what is no whole chunk yet.
const keepStep = 4 << 10

// keep writes what is in memory behind the chunks, where the whole chunk will take its
// place: so a kill leaves little that is not indexed.
func (c *catalog) keep(x *indexed) error {
	if x.tail.Len()-x.kept < keepStep {
		return nil
	}
	if _, err := x.file.WriteAt(x.tail.Encode(x.covered), x.size); err != nil {
		return err
	}
	x.kept = x.tail.Len()
	return nil
}

// finish ends the index of a sealed segment.
func (c *catalog) finish(x *indexed) error {
	if err := c.flush(x, x.covered); err != nil {
		return err
	}
	x.tokens = tokenizer{}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.whole, x.tail = true, nil
	return nil
}

// giveUp forgets an index that cannot be made or read; a later try begins anew.
func (c *catalog) giveUp(x *indexed) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.file != nil {
		x.file.Close()
		c.disk.Remove(c.name(x.number)) // if it stays, it is opened again
	}
	x.kept = 0
	x.file, x.size, x.opened, x.damaged, x.chunks, x.tail, x.covered, x.whole = nil, 0, false, false, nil, nil, 0, false
}
