package journal

import (
	"context"
	"fmt"
)

// rewriteSlice is how many octets of records are offered to their owners in
// one go: the writer does nothing else meanwhile.
const rewriteSlice = 64 << 10

// rewrite asks the owners of all records of a segment to write again what
// lives, and voids the records.
func (j *journal) rewrite(ctx context.Context, s *segment) error {
	path := s.name(j.dir)
	var slice []decoded
	var octets int
	flush := func() error {
		if len(slice) == 0 {
			return nil
		}
		err := j.do(func() error { return j.w.rewrite(slice) })
		slice, octets = slice[:0], 0
		return err
	}
	err := j.eachFrame(ctx, s, s.end, func(off int64, h frame, payload func() ([]byte, error)) error {
		if h.typ != frameBatch {
			return nil
		}
		p, err := payload()
		if err != nil {
			return &DamageError{File: path, Offset: off, Err: err}
		}
		d, err := decodeBatch(append([]byte(nil), p...), nil)
		if err != nil {
			return &DamageError{File: path, Offset: off, Err: err}
		}
		slice = append(slice, d)
		if octets += len(p); octets >= rewriteSlice {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	if err == nil {
		err = j.do(func() error { return j.w.void(s) })
	}
	return err
}

// rewrite runs on the writer, between two groups: what the owners say is then
// true at the very place where it is written.
func (w *writer) rewrite(slice []decoded) error {
	var b Batch
	for _, d := range slice {
		err := eachRecord(d.records, func(k Kind, data []byte) error {
			o := w.j.owners[k]
			if o == nil {
				return fmt.Errorf("journal: nobody owns records of kind %d", k)
			}
			return o.Rewrite(k, data, &b)
		})
		if err != nil {
			return err
		}
	}
	if b.empty() {
		return nil
	}
	return w.own(&b.batch)
}

// own writes a batch of the journal itself. It need not be on the disk before what it
// replaces is given up, which void sees to: a sync for each would be one more for
// those who wait for theirs.
func (w *writer) own(b *batch) error {
	r, err := w.j.request(b)
	if err != nil {
		return err
	}
	octets := int64(len(r.frame))
	r.call = func(e error) { err = e } // now, or with the next sync
	w.group([]*request{r}, false)
	if err == nil {
		w.j.mu.Lock()
		w.j.kept += octets
		w.j.mu.Unlock()
	}
	return err
}

// void renames a segment whose records were written again. If the machine
// stops before that is durable, they are replayed once more before their
// successors, as Owner.Replay says.
func (w *writer) void(s *segment) error {
	j := w.j
	if err := w.syncAlways(); err != nil {
		return err
	}
	from, to := s.name(j.dir), segmentName(j.dir, s.number, extBlobs)
	if err := j.disk.Rename(from, to); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	j.mu.Lock()
	s.void = true
	j.mu.Unlock()
	return j.syncDir()
}

// syncAlways syncs even where Commit does not wait for it: before a file is
// given up, what replaces it has to be there.
func (w *writer) syncAlways() error {
	err := w.sync()
	w.answerLazy(err)
	return err
}

func (j *journal) syncDir() error {
	if err := j.disk.SyncDir(j.dir); err != nil {
		return j.fail(err)
	}
	return nil
}

// eachFrame reads the frames of a segment up to end; payload reads and checks.
func (j *journal) eachFrame(ctx context.Context, s *segment, end int64, f func(off int64, h frame, payload func() ([]byte, error)) error) error {
	return j.framesFrom(ctx, s, window{f: s.f, size: end}, 0, f)
}

// framesFrom is eachFrame from the frame at off on.
func (j *journal) framesFrom(ctx context.Context, s *segment, win window, off int64, f func(off int64, h frame, payload func() ([]byte, error)) error) error {
	path := s.name(j.dir)
	for off < win.size {
		if err := ctx.Err(); err != nil {
			return err
		}
		p, err := win.at(off, headLen)
		if err != nil {
			return &DamageError{File: path, Offset: off, Err: err}
		}
		h, err := decodeFrame(p, s.number)
		if err != nil {
			return &DamageError{File: path, Offset: off, Err: err}
		}
		err = f(off, h, func() ([]byte, error) {
			p, err := win.at(off+headLen, int(h.length))
			if err == nil && checksum(p) != h.sum {
				err = errSum
			}
			return p, err
		})
		if err != nil {
			return err
		}
		off += headLen + int64(h.length)
	}
	return nil
}
