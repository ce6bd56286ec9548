package journal

import (
	"errors"
	"io"
)

var errShort = errors.New("the file ends within a frame")

// window reads a file forward through one buffer, so that many small frames
// cost few reads and a skipped blob costs none.
type window struct {
	f    File
	size int64
	buf  []byte
	off  int64 // of buf in the file
	step int   // how much is read at once; 0 for windowLen
}

const windowLen = 64 << 10

// at returns the n octets from off on, good until the next call.
func (w *window) at(off int64, n int) ([]byte, error) {
	if off+int64(n) > w.size {
		return nil, errShort
	}
	if in := off - w.off; in >= 0 && in+int64(n) <= int64(len(w.buf)) {
		return w.buf[in : in+int64(n)], nil
	}
	step := w.step
	if step == 0 {
		step = windowLen
	}
	want := int(min(int64(max(n, step)), w.size-off))
	if cap(w.buf) < want {
		w.buf = make([]byte, want)
	}
	w.buf, w.off = w.buf[:want], off
	got, err := w.f.ReadAt(w.buf, off)
	w.buf = w.buf[:got]
	if got < n {
		if err == nil || err == io.EOF {
			err = errShort
		}
		return nil, err
	}
	return w.buf[:n], nil
}
