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
// one that is missing or damaged is made anew. One goroutine makes them, run;
// searches use what there is by then, and read the rest of the segment.
type catalog struct {
	t    *Trail
	dir  string
	disk journal.Disk
	kick chan struct{}

	mu       sync.Mutex
	segments map[uint32]*indexed
}

// indexed is a segment with its index. Only run changes it, and close when run has
// ended; mu is held for moments, never while anything is made or written, so that
// no search waits for it.
type indexed struct {
	number uint32
	file   journal.File
	size   int64 // of what is in chunks
	kept   int   // how many entries of the tail stand behind them, for the next start
	tokens tokenizer
	known  bool // the words of what is indexed were learned

	mu      sync.Mutex
	opened  bool
	damaged bool // a search could not read it: it is to be made anew
	chunks  []*index.Chunk
	tail    *index.Builder // not yet in a chunk; nil where the segment is whole
	covered int64          // the place in the segment up to which it is indexed
	whole   bool           // sealed, and all of it is in chunks
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

// open reads the heads of the chunks that there are. Its caller holds x.mu.
func (c *catalog) open(x *indexed) error {
	if x.opened {
		return nil
	}
	f, err := c.disk.Open(c.name(x.number))
	if err != nil {
		f, err = c.disk.Create(c.name(x.number)) // none yet
	}
	if err != nil {
		return err
	}
	if err := x.heads(f); err != nil {
		f.Close()
		x.chunks, x.size, x.covered = nil, 0, 0
		return err
	}
	x.file, x.tail, x.opened = f, &index.Builder{}, true
	return nil
}

// missing is how much of a segment has no index.
func (c *catalog) missing(s journal.Segment) int64 {
	x := c.of(s.Number)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.whole || c.open(x) == nil && x.covered >= s.Bytes {
		return 0
	}
	return max(s.Bytes-x.covered, 0)
}

func (x *indexed) heads(f journal.File) error {
	size, err := f.Size()
	if err != nil {
		return err
	}
	for {
		chunk, err := index.Open(f, x.size, size)
		if err == io.EOF {
			return nil
		}
		if err != nil { // torn or damaged: what comes before it is good
			return f.Truncate(x.size)
		}
		x.chunks = append(x.chunks, chunk)
		x.size = chunk.End()
		_, x.covered = chunk.Covers()
	}
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
		err := c.catchUp(ctx, c.of(s.Number), !s.Sealed.IsZero())
		if ctx.Err() != nil {
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// close writes what is in memory, and closes the files, when run has ended.
func (c *catalog) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, x := range c.segments {
		x.mu.Lock()
		file, tail, to := x.file, x.tail, x.covered
		x.mu.Unlock()
		if file == nil {
			continue
		}
		if tail != nil {
			c.flush(x, to) // the next start need not do it again; if it fails it does
		}
		file.Close()
	}
}
