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
	buf   []byte // room for the head of a frame, then what was not written yet
	sum   uint32 // of a taken buffer
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
		w.grow(len(p))
		m := min(len(p), w.j.chunk-(len(w.buf)-headLen))
		w.j.mu.Lock()
		w.buf = append(w.buf, p[:m]...)
		w.size += int64(m)
		w.j.mu.Unlock()
		n, p = n+m, p[m:]
	}
	return n, nil
}

// grow makes the buffer with its first octets, and exact for those who write
// all at once.
func (w *blobWriter) grow(n int) {
	if w.buf == nil {
		w.buf = make([]byte, headLen, headLen+min(max(n, 4096-headLen), w.j.chunk))
	}
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
		w.buf, w.shared = make([]byte, headLen, cap(w.buf)), false
		return
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
	w.state = blobDiscarded
	w.j.abandon(w.parts)
	w.parts, w.buf = nil, nil
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
