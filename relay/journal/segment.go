package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// Names of segments end in .seg; once all records of one were rewritten
// further on, it is renamed and only the blobs in it count. A .new one was
// never written to.
const (
	extSegment = ".seg"
	extBlobs   = ".blobs"
	extNew     = ".new"
)

// sealLen is kept free at the end of each segment for its seal.
const sealLen = headLen + 8

// segment is one file. What is not atomic is guarded by journal.mu, but for f,
// number and alloc, which do not change, and end, which belongs to the writer
// until the segment is sealed.
type segment struct {
	number uint32
	f      File
	alloc  int64 // octets preallocated
	end    int64 // where the next frame goes; the length, once sealed

	created time.Time
	written int64 // how far it can be read
	void    bool  // the records were rewritten: only blobs count
	sealed  time.Time
	records int64 // octets in batch frames
	live    int64 // octets in frames of blobs that are held or being written
	pending int   // parts in here of blobs that are being written
	refs    atomic.Int32
}

// segmentHead is the payload of the first frame.
type segmentHead struct {
	created  time.Time
	nextBlob BlobID // no blob from here on was begun: names are never given twice
}

const segmentHeadLen = headLen + 16

func (h segmentHead) encode() []byte {
	p := make([]byte, segmentHeadLen)
	binary.LittleEndian.PutUint64(p[headLen:], uint64(h.created.UnixMilli()))
	binary.LittleEndian.PutUint64(p[headLen+8:], uint64(h.nextBlob))
	return p
}

func decodeSegmentHead(p []byte) (segmentHead, error) {
	if len(p) != segmentHeadLen-headLen {
		return segmentHead{}, errors.New("the head of the segment has the wrong length")
	}
	return segmentHead{
		created:  time.UnixMilli(int64(binary.LittleEndian.Uint64(p))),
		nextBlob: BlobID(binary.LittleEndian.Uint64(p[8:])),
	}, nil
}

func segmentName(dir string, number uint32, ext string) string {
	return filepath.Join(dir, fmt.Sprintf("%010d%s", number, ext))
}

func (s *segment) name(dir string) string {
	if s.void {
		return segmentName(dir, s.number, extBlobs)
	}
	return segmentName(dir, s.number, extSegment)
}

// hold keeps the file open; drop closes it with the last holder.
func (s *segment) hold() { s.refs.Add(1) }

func (s *segment) drop() {
	if s.refs.Add(-1) == 0 {
		s.f.Close() // read only by now, or synced: nothing to lose
	}
}

// isFull tells a disk or a quota that is full from one that fails.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
