package journal

import (
	"errors"
	"io"
)

// chunkLen is how much of a blob is kept in memory at most. A blob that fits
// goes to the segment with its batch, a longer one in parts of this size.
const chunkLen = 256 << 10

type writerState uint8

const (
	blobOpen writerState = iota
	blobTaken
	blobCommitted
	blobDiscarded
)

// blobWriter is the inside of a BlobWriter. What readers may look at while the
// blob is written is guarded by journal.mu.
type blobWriter struct {
	j     *journal
	id    BlobID
	mem   *buffer // nil before the first octet
	buf   []byte  // of mem: room for the head of a frame, then what was not written yet
	sum   uint32  // of a taken buffer
	size  int64
	parts []extent // written already
	state writerState

	shared bool // a reader looks at buf
}

var errBlobDone = errors.New("journal: the blob was given to a batch or discarded already")

func (j *journal) newBlob() *BlobWriter {
	return &BlobWriter{blobWriter{j: j, id: BlobID(j.nextBlob.Add(1) - 1)}}
}

func (w *blobWriter) write(p []byte) (n int, err error) {
	if w.state != blobOpen {
		return 0, errBlobDone
	}
	for len(p) > 0 {
		if len(w.buf)-headLen >= w.j.chunk {
			if err := w.spill(); err != nil {
				return n, err
			}
		}
		m := min(len(p), w.j.chunk-max(0, len(w.buf)-headLen))
		w.grow(m)
		have := len(w.buf)
		copy(w.buf[have:have+m], p) // behind all that a reader can have been given
		w.j.mu.Lock()
		w.buf = w.buf[:have+m]
		w.size += int64(m)
		w.j.mu.Unlock()
		n, p = n+m, p[m:]
	}
	return n, nil
}

// grow makes room for the head of a frame and n octets more than there are.
func (w *blobWriter) grow(n int) {
	have := max(len(w.buf), headLen)
	if have+n <= cap(w.buf) {
		return
	}
	mem := w.j.buffers.get(have + n)
	copy(mem.b, w.buf)
	w.j.mu.Lock()
	defer w.j.mu.Unlock()
	w.giveBack()
	w.mem, w.buf = mem, mem.b[:have]
}

// giveBack lets others use the buffer, unless a reader looks at it. The caller holds
// journal.mu.
func (w *blobWriter) giveBack() {
	if !w.shared {
		w.j.buffers.put(w.mem)
	}
	w.mem, w.buf, w.shared = nil, nil, false
}

// spill writes the buffer to the segment as a part of the blob.
func (w *blobWriter) spill() error {
	r := &request{
		frame: w.buf, sum: checksum(w.buf[headLen:]), done: make(chan error, 1),
		part: w.id, first: len(w.parts) == 0, wrote: w.spilled,
	}
	w.j.submit(r)
	return <-r.done
}

// spilled notes where the buffer was written, and makes room. The caller holds
// journal.mu.
func (w *blobWriter) spilled(e extent) {
	w.parts = append(w.parts, e)
	if w.shared {
		w.mem, w.shared = w.j.buffers.get(cap(w.buf)), false
		w.buf = w.mem.b
	}
	w.buf = w.buf[:headLen]
}

// take readies the blob for its batch.
func (w *blobWriter) take() error {
	if w.state != blobOpen {
		return errBlobDone
	}
	w.state = blobTaken
	w.grow(0)
	w.sum = checksum(w.buf[headLen:])
	return nil
}

// last tells whether the batch must write a part of the blob; an empty blob
// has one, too, so that each is somewhere.
func (w *blobWriter) last() bool { return len(w.buf) > headLen || len(w.parts) == 0 }

func (w *blobWriter) blob() *Blob { return &Blob{ID: w.id, blobRef: blobRef{j: w.j, w: w}} }

func (w *blobWriter) discard() {
	w.j.mu.Lock()
	defer w.j.mu.Unlock()
	if w.state == blobCommitted || w.state == blobDiscarded {
		return
	}
	open := w.state == blobOpen // or else a batch that nobody waits for any more may still be written
	w.state = blobDiscarded
	w.j.abandon(w.parts)
	w.parts = nil
	if open {
		w.giveBack()
	}
}

// reader reads what was written so far. The caller holds journal.mu.
func (w *blobWriter) reader() (*blobReader, error) {
	if w.state == blobDiscarded {
		return nil, ErrNoBlob
	}
	r, err := w.j.openExtents(w.parts)
	if err != nil {
		return nil, err
	}
	if len(w.buf) > headLen {
		w.shared = true
		r.add(part{mem: w.buf[headLen:], size: int64(len(w.buf) - headLen)})
	}
	return r, nil
}

var _ io.Writer = (*BlobWriter)(nil)
