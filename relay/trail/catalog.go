package trail

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"sync"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/trail/index"
)

// indexStep is how much of the segment being written may wait to be indexed: a
// search reads it.
const indexStep = 256 << 10

// catalog keeps the indexes of all segments: a file beside each, written chunk by
// chunk while the segment is. What is in an index follows from its segment, so
// one that is missing or damaged is made anew, and searches read the segment
// until it is.
type catalog struct {
	t    *Trail
	dir  string
	disk journal.Disk
	kick chan struct{}

	mu       sync.Mutex
	segments map[uint32]*indexed
}

// indexed is a segment with its index.
type indexed struct {
	number uint32

	mu      sync.Mutex
	file    journal.File
	size    int64
	opened  bool
	chunks  []*index.Chunk
	tail    *index.Builder // not yet in a chunk; nil where the segment is whole
	covered int64          // the place in the segment up to which it is indexed
	whole   bool           // sealed, and all of it is in chunks
	tokens  tokenizer
}

func newCatalog(t *Trail, dir string, disk journal.Disk) (*catalog, error) {
	c := &catalog{t: t, dir: filepath.Join(dir, "index"), disk: disk, kick: make(chan struct{}, 1), segments: map[uint32]*indexed{}}
	return c, disk.MkdirAll(c.dir)
}

func (c *catalog) name(number uint32) string {
	return filepath.Join(c.dir, fmt.Sprintf("%010d.idx", number))
}

// of finds the index of a segment; it may not have been opened yet.
func (c *catalog) of(number uint32) *indexed {
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.segments[number]
	if x == nil {
		x = &indexed{number: number}
		c.segments[number] = x
	}
	return x
}

// open reads the heads of the chunks that there are. It holds x.mu.
func (c *catalog) open(x *indexed) error {
	if x.opened {
		return nil
	}
	x.opened, x.tail = true, &index.Builder{}
	f, err := c.disk.Open(c.name(x.number))
	if err != nil {
		f, err = c.disk.Create(c.name(x.number)) // none yet
	}
	if err != nil {
		return err
	}
	x.file = f
	size, err := f.Size()
	if err != nil {
		return err
	}
	for {
		chunk, err := index.Open(f, x.size, size)
		if err == io.EOF {
			break
		}
		if err != nil { // torn or damaged: what comes before it is good
			if err := f.Truncate(x.size); err != nil {
				return err
			}
			break
		}
		x.chunks = append(x.chunks, chunk)
		x.size = chunk.End()
		_, x.covered = chunk.Covers()
	}
	c.recall(x)
	return nil
}

// catchUp indexes what was written of a segment since. It holds x.mu.
func (c *catalog) catchUp(ctx context.Context, x *indexed, sealed bool) error {
	if x.whole {
		return nil
	}
	if err := c.open(x); err != nil {
		return fmt.Errorf("trail: %s: %w", c.name(x.number), err)
	}
	batch, skip := int64(-1), 0
	var failed error
	err := c.t.j.ScanFrom(ctx, x.number, x.covered, func(at, next int64, _ journal.Kind, p []byte) error {
		if at != batch {
			batch, skip = at, 0
			if x.tail.Len() > index.MaxEntries-index.MaxEntries/8 {
				failed = c.flush(x, at)
			}
		} else if x.tail.Full() {
			failed = c.flush(x, at)
		}
		if failed != nil {
			return failed
		}
		if err := c.add(x, at, skip, p); err != nil {
			return err
		}
		skip++
		x.covered = next
		return nil
	})
	if err == nil && sealed {
		err = c.finish(x)
	}
	if err != nil {
		c.giveUp(x)
	}
	return err
}

// add indexes one entry. One that cannot be read is there, without tokens.
func (c *catalog) add(x *indexed, at int64, skip int, p []byte) error {
	e, err := decode(p)
	if err != nil {
		return err
	}
	var r *Record
	if e.isOne() {
		if r, err = c.t.read(&e, x.number); err != nil {
			r = nil
		}
	} else if e.what == isWords {
		c.t.learnWords(&e)
	}
	x.tail.Add(at, skip, e.at.UnixMilli(), x.tokens.of(&e, r))
	return nil
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
	x.chunks = append(slices.Clip(x.chunks), chunk)
	x.size = chunk.End()
	x.tail.Reset()
	return nil
}

// finish ends the index of a sealed segment.
func (c *catalog) finish(x *indexed) error {
	if err := c.flush(x, x.covered); err != nil {
		return err
	}
	x.whole, x.tail, x.tokens = true, nil, tokenizer{}
	return nil
}

// giveUp forgets an index that cannot be made or read; a later try begins anew.
func (c *catalog) giveUp(x *indexed) {
	if x.file != nil {
		x.file.Close()
		c.disk.Remove(c.name(x.number)) // if it stays, it is opened again
	}
	x.file, x.size, x.opened, x.chunks, x.tail, x.covered, x.whole = nil, 0, false, nil, nil, 0, false
}

// forget removes the indexes of segments that have gone.
func (c *catalog) forget(left map[uint32]bool) error {
	c.mu.Lock()
	for n, x := range c.segments {
		if left[n] {
			continue
		}
		delete(c.segments, n)
		x.mu.Lock()
		if x.file != nil {
			x.file.Close()
		}
		x.mu.Unlock()
	}
	c.mu.Unlock()
	names, err := c.disk.List(c.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		var n uint32
		if _, err := fmt.Sscanf(name, "%010d.idx", &n); err == nil && !left[n] {
			if err := c.disk.Remove(filepath.Join(c.dir, name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// run indexes while the trail is written: the segment being written when it has
// grown, and, one after the other, those before it that have no index.
func (c *catalog) run(ctx context.Context) {
	for {
		if err := c.all(ctx); err != nil && ctx.Err() == nil {
			c.t.log.Warn("the trail cannot be indexed; searches take longer", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-c.kick:
		}
	}
}

func (c *catalog) all(ctx context.Context) error {
	var errs []error
	for _, s := range slices.Backward(c.t.j.Segments()) {
		x := c.of(s.Number)
		x.mu.Lock()
		err := c.catchUp(ctx, x, !s.Sealed.IsZero())
		x.mu.Unlock()
		if ctx.Err() != nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// close writes what is in memory, and closes the files.
func (c *catalog) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.segments {
		x.mu.Lock()
		if x.file != nil {
			if x.tail != nil {
				c.flush(x, x.covered) // the next start need not do it again; if it fails it does
			}
			x.file.Close()
		}
		x.mu.Unlock()
	}
}

// wordsRow is what entries that define words have.
var wordsRow = &wanted{rows: [][]index.Token{{index.Of(tokWords, "")}}}

// wordsOf hands the entries that define words in a segment to f.
func (c *catalog) wordsOf(s journal.Segment, f func(p []byte)) error {
	x := c.of(s.Number)
	var parts []found
	covered := int64(0)
	if x.mu.TryLock() { // else it is being indexed, perhaps by who asks
		if c.open(x) == nil {
			parts, covered = wordsIn(x)
		}
		x.mu.Unlock()
	}
	v := &visitor{t: c.t, ctx: context.Background(), segment: s.Number, w: wordsRow, f: func(h hit, _ bool) (bool, error) {
		f(h.p)
		return false, nil
	}}
	if err := v.rest(covered); err != nil {
		return err
	}
	for _, p := range parts {
		if err := v.part(p); err != nil {
			return err
		}
	}
	return nil
}

// wordsIn finds them in the chunks of a segment; covered is how far these reach.
// It holds x.mu.
func wordsIn(x *indexed) (parts []found, covered int64) {
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
// It holds x.mu.
func (c *catalog) recall(x *indexed) {
	parts, _ := wordsIn(x)
	v := &visitor{t: c.t, ctx: context.Background(), segment: x.number, w: wordsRow, f: func(h hit, _ bool) (bool, error) {
		e, err := decode(h.p)
		if err == nil && e.what == isWords {
			c.t.learnWords(&e)
		}
		return false, err
	}}
	for _, p := range parts {
		if err := v.part(p); err != nil {
			return // who needs them looks for them
		}
	}
}
