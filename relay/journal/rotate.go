package journal

import (
	"encoding/binary"
	"fmt"
)

// room sees to it that a frame of n octets fits into the segment. The last
// part of a segment is kept from blobs, so that on a full disk the records
// that free space (delivered, deleted, moved) can still be written.
func (w *writer) room(n int64, bulky bool) error {
	if w.seg != nil {
		left := w.seg.alloc - w.seg.end - sealLen - n
		if bulky {
			left -= w.j.reserve
		}
		if left >= 0 && !w.aged() {
			return nil
		}
	}
	if w.full {
		return ErrFull
	}
	return w.rotate(n)
}

// aged tells whether the segment has records and is older than it may be.
func (w *writer) aged() bool {
	return w.j.maxAge > 0 && w.seg.end > segmentHeadLen && w.j.now().Sub(w.seg.created) >= w.j.maxAge
}

// rotate seals the segment and begins the next one, with room for n octets.
// The next is made first: if there is no space for it, nothing has changed.
func (w *writer) rotate(n int64) error {
	if err := w.flush(); err != nil {
		return err
	}
	seq := w.seq + 2 // the seal comes before it
	next, err := w.next(seq, segmentHeadLen+n+sealLen+w.j.reserve)
	if err != nil {
		return err
	}
	if err := w.seal(); err != nil {
		next.f.Close()
		return err
	}
	from, to := segmentName(w.j.dir, next.number, extNew), next.name(w.j.dir)
	if err := w.j.disk.Rename(from, to); err != nil {
		return w.j.fail(err)
	}
	if err := w.j.disk.SyncDir(w.j.dir); err != nil {
		return w.j.fail(err)
	}
	w.j.mu.Lock()
	w.j.segments[next.number] = next
	w.j.last = next.number
	w.j.mu.Unlock()
	w.seg, w.base = next, next.end
	w.seq, w.synced = seq, seq
	if w.told {
		w.told = false
		w.j.log.Info("the disk has room again", "dir", w.j.dir)
	}
	w.j.freed()
	return nil
}

// next makes the next segment, of the usual size, or smaller where the disk has
// no room for that, but of the octets that are needed at least.
func (w *writer) next(seq uint64, need int64) (*segment, error) {
	size := max(w.j.segmentSize, need)
	for {
		s, err := w.prepare(seq, size)
		if err == nil || size == need || !isFull(err) {
			return s, w.cannot(err)
		}
		size = max(size/4, need)
	}
}

// prepare makes the file of the next segment under a name that recovery
// ignores, durable but for its directory entry.
func (w *writer) prepare(seq uint64, size int64) (*segment, error) {
	s := &segment{number: w.j.last + 1, alloc: size, end: segmentHeadLen, written: segmentHeadLen, created: w.j.now()}
	s.hold()
	name := segmentName(w.j.dir, s.number, extNew)
	f, err := w.j.disk.Create(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	s.f = f
	head := segmentHead{created: s.created, nextBlob: BlobID(w.j.nextBlob.Load())}.encode()
	h := frame{
		typ: frameSegment, length: segmentHeadLen - headLen, sum: checksum(head[headLen:]),
		seq: seq, synced: w.synced, segment: s.number,
	}
	h.encode(head)
	err = f.Allocate(size)
	if err == nil {
		_, err = f.WriteAt(head, 0)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		f.Close()
		w.j.disk.Remove(name) // what stays behind is removed by the next start
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// cannot says that no segment could be made: not fatal, since nothing was
// promised yet.
func (w *writer) cannot(err error) error {
	if err == nil {
		return nil
	}
	w.full = true
	if !isFull(err) {
		return fmt.Errorf("journal: cannot make a segment: %w", err)
	}
	if !w.told {
		w.told = true
		w.j.log.Error("the disk is full: nothing new is kept until there is room", "dir", w.j.dir, "error", err)
	}
	w.j.freed() // perhaps compaction can help
	return fmt.Errorf("%w (%v)", ErrFull, err)
}

// seal ends the segment for good and makes it durable: whatever comes in a
// later segment, all of this one is on the disk.
func (w *writer) seal() error {
	if w.seg == nil {
		return nil
	}
	s := w.seg
	now := w.j.now()
	w.seq++
	if err := sealAt(s, s.end, w.seq, w.synced, now.UnixMilli()); err != nil {
		return w.j.fail(err)
	}
	w.synced = w.seq
	w.j.syncs.Add(1)
	w.j.mu.Lock()
	s.end += sealLen
	s.written = s.end
	s.sealed = now
	w.j.mu.Unlock()
	w.seg = nil
	if err := s.f.Truncate(s.end); err != nil { // gives back what was preallocated; nothing depends on it
		w.j.log.Warn("cannot shorten a sealed segment", "file", s.name(w.j.dir), "error", err)
	}
	return nil
}

// sealAt writes the seal of a segment at off, and syncs.
func sealAt(s *segment, off int64, seq, synced uint64, millis int64) error {
	p := make([]byte, sealLen)
	binary.LittleEndian.PutUint64(p[headLen:], uint64(millis))
	h := frame{typ: frameSeal, length: sealLen - headLen, sum: checksum(p[headLen:]), seq: seq, synced: synced, segment: s.number}
	h.encode(p)
	if _, err := s.f.WriteAt(p, off); err != nil {
		return err
	}
	return s.f.Sync()
}
