package journal

import (
	"errors"
	"fmt"
	"io"
	"sort"

	"github.com/forepost/forepost/relay/mail"
)

// blobRef is the inside of a Blob.
type blobRef struct {
	j *journal
	w *blobWriter // nil unless the Blob was made by its writer
	n int64
}

func (b *blobRef) size() int64 {
	if b.w == nil {
		return b.n
	}
	b.j.mu.Lock()
	defer b.j.mu.Unlock()
	return b.w.size
}

// open finds the blob where it is now: in its writer, or in the segments. The
// reader keeps the segments that it reads open, so that compaction may go on.
func (b *Blob) open() (mail.BlobReader, error) {
	b.j.mu.Lock()
	defer b.j.mu.Unlock()
	if b.w != nil && b.w.state != blobCommitted {
		return b.w.reader()
	}
	at := b.j.table.extents(b.ID)
	if at == nil {
		return nil, ErrNoBlob
	}
	return b.j.openExtents(at)
}

// part is a run of octets of a blob, in a file or in memory.
type part struct {
	seg  *segment
	off  int64
	mem  []byte
	at   int64 // in the blob
	size int64
}

// blobReader reads a blob from its parts.
type blobReader struct {
	parts []part
	size  int64
	pos   int64
}

// openExtents makes a reader. The caller holds journal.mu.
func (j *journal) openExtents(at []extent) (*blobReader, error) {
	r := &blobReader{parts: make([]part, 0, len(at)+1)}
	for _, e := range at {
		s := j.segments[e.segment]
		if s == nil {
			r.Close()
			return nil, fmt.Errorf("journal: segment %d has gone with a blob in it", e.segment)
		}
		s.hold()
		r.add(part{seg: s, off: int64(e.off) + headLen, size: int64(e.size)})
	}
	return r, nil
}

func (r *blobReader) add(p part) {
	p.at = r.size
	r.size += p.size
	r.parts = append(r.parts, p)
}

// Close may be called more than once.
func (r *blobReader) Close() error {
	for _, p := range r.parts {
		if p.seg != nil {
			p.seg.drop()
		}
	}
	r.parts, r.size = nil, 0
	return nil
}

func (r *blobReader) Read(p []byte) (int, error) {
	n, err := r.ReadAt(p, r.pos)
	r.pos += int64(n)
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

func (r *blobReader) Seek(off int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		off += r.pos
	case io.SeekEnd:
		off += r.size
	}
	if off < 0 {
		return 0, errors.New("journal: seek before the start of a blob")
	}
	r.pos = off
	return off, nil
}

func (r *blobReader) ReadAt(p []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("journal: read before the start of a blob")
	}
	i := sort.Search(len(r.parts), func(i int) bool { return r.parts[i].at+r.parts[i].size > off })
	for ; i < len(r.parts) && n < len(p); i++ {
		m, err := r.parts[i].readAt(p[n:], off+int64(n)-r.parts[i].at)
		n += m
		if err != nil {
			return n, err
		}
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// readAt reads as much as the part has from in on.
func (p *part) readAt(b []byte, in int64) (int, error) {
	b = b[:min(int64(len(b)), p.size-in)]
	if p.mem != nil {
		return copy(b, p.mem[in:]), nil
	}
	n, err := p.seg.f.ReadAt(b, p.off+in)
	if n == len(b) {
		return n, nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF // the segment is shorter than its frames say
	}
	return n, err
}
