package journal

import (
	"context"
	"errors"
	"sync"
)

// Compaction gives space back in two steps that can be taken apart.
//
// Records count in order, so that they are given up from the oldest segment
// on: each owner writes again what still lives, and the segment is renamed to
// .blobs, which voids its records. Were a segment in the middle taken out
// first, a "deleted" in it would be forgotten while what it deletes is still
// there before it.
//
// Blobs have no order: from any segment whose records are void and whose
// blobs are mostly gone, the others are copied to the end, and the file is
// removed.
type compactor struct {
	kick chan struct{}
	quit context.CancelFunc
	ctx  context.Context
	gone sync.WaitGroup
	one  sync.Mutex // one compaction at a time

	plan
}

func (c *compactor) init() {
	c.kick = make(chan struct{}, 1)
	c.ctx, c.quit = context.WithCancel(context.Background())
	c.gone.Add(1)
}

// loop compacts whenever something was given up.
func (c *compactor) loop(j *journal) {
	defer c.gone.Done()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-c.kick:
		}
		if _, err := j.compact(c.ctx); err != nil && c.ctx.Err() == nil && !errors.Is(err, ErrBroken) {
			j.log.Warn("compaction stopped, to be tried again later", "dir", j.dir, "error", err)
		}
	}
}

func (c *compactor) stop() {
	c.quit()
	c.gone.Wait()
}

// freed wakes the compactor.
func (j *journal) freed() {
	select {
	case j.kick <- struct{}{}:
	default:
	}
}

func (j *journal) compact(ctx context.Context) (done int, err error) {
	j.one.Lock()
	defer j.one.Unlock()
	for {
		if err := ctx.Err(); err != nil {
			return done, err
		}
		s, rewrite := j.pick()
		if s == nil {
			return done, nil
		}
		if rewrite {
			if err := j.rewrite(ctx, s); err != nil {
				return done, err
			}
			continue
		}
		if err := j.evacuate(ctx, s); err != nil {
			return done, err
		}
		done++
	}
}
