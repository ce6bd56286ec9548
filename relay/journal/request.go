package journal

import "context"

// request is what the writer is asked to do: write a batch, write a part of a
// blob, or run something between two groups.
type request struct {
	frame []byte // of a batch or a part, with its head still empty
	sum   uint32 // of the payload
	blobs []*blobWriter
	moved []movedBlob
	then  []func()
	part  BlobID       // whose part the frame is, 0 for a batch
	first bool         // it is the first part
	wrote func(extent) // is told where the part lies, with journal.mu held
	run   func() error

	wait bool        // the answer is due when it is on the disk
	done chan error  // has room for one
	call func(error) // instead of done
	at   []extent    // where the last parts of blobs came to lie
}

// request makes a batch ready to be written, as much as can be done without
// knowing its place.
func (j *journal) request(b *batch) (*request, error) {
	if err := b.check(); err != nil {
		return nil, err
	}
	r, _ := j.requests.Get().(*request)
	if r == nil {
		r = &request{done: make(chan error, 1)}
	}
	r.frame = b.encode(r.frame[:0])
	r.sum = checksum(r.frame[headLen:])
	r.blobs, r.moved, r.then, r.at = b.blobs, b.moved, b.then, r.at[:0]
	r.wait = !j.noSync
	return r, nil
}

// recycle gives r back once nobody else looks at it.
func (j *journal) recycle(r *request) {
	if cap(r.frame) > 64<<10 {
		r.frame = nil
	}
	*r = request{frame: r.frame[:0], done: r.done, at: r.at[:0]}
	j.requests.Put(r)
}

func (r *request) answer(err error) {
	if r.call != nil {
		r.call(err)
		return
	}
	if r.done != nil {
		r.done <- err
	}
}

func (j *journal) commit(ctx context.Context, b *Batch) error {
	r, err := j.request(&b.batch)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	j.submit(r)
	select {
	case err = <-r.done:
		j.recycle(r)
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (j *journal) append(b *Batch, done func(error)) {
	r, err := j.request(&b.batch)
	if err != nil {
		if done != nil {
			done(err)
		}
		return
	}
	r.call = done
	if done == nil {
		r.call = func(error) {}
	}
	j.submit(r)
}

// do runs f on the writer, after all that was handed in before is on the disk.
func (j *journal) do(f func() error) error {
	r := &request{run: f, done: make(chan error, 1)}
	j.submit(r)
	return <-r.done
}

// submit hands r to the writer. It does not wait.
func (j *journal) submit(r *request) {
	j.queueMu.Lock()
	refuse := j.refuse
	if refuse == nil {
		j.queue = append(j.queue, r)
	}
	j.queueMu.Unlock()
	if refuse != nil {
		r.answer(refuse)
		return
	}
	select {
	case j.wake <- struct{}{}:
	default:
	}
}
