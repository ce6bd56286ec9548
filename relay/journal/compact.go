package journal

import (
	"context"
	"errors"
	"sync"
	"time"
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

// The pauses after a compaction that failed. On a full disk its own failure
// wakes it, and without them it would run, and fill the log, all the time.
const (
	compactPause    = time.Second
	compactMaxPause = time.Minute
)

// loop compacts whenever something was given up. A failure is logged once, until
// it goes well again.
func (c *compactor) loop(j *journal) {
	defer c.gone.Done()
	pause := time.Duration(0)
	for c.wait(pause) {
		_, err := j.compact(c.ctx)
		switch {
		case err == nil:
			pause = 0
			continue
		case pause == 0 && c.ctx.Err() == nil && !errors.Is(err, ErrBroken):
			j.log.Warn("compaction stopped, to be tried again later", "dir", j.dir, "error", err)
		}
		pause = min(max(2*pause, compactPause), compactMaxPause)
	}
}

// wait waits for the pause, then for something to do; false at the end.
func (c *compactor) wait(pause time.Duration) bool {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-c.ctx.Done():
		return false
	case <-t.C:
	}
	select {
	case <-c.ctx.Done():
		return false
	case <-c.kick:
		return true
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
