package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Loss is a run of octets that could not be copied.
type Loss struct {
	File   string
	Offset int64
	Octets int64
	Why    string
	// Torn is that it lies at the end of what was written last, where a stop in the
	// middle leaves such: nothing of it was acknowledged, unless the disk lost it.
	Torn bool
}

// Salvaged is what Salvage did.
type Salvaged struct {
	Segments int   // copied, whole or in part
	Frames   int   // that were good
	Octets   int64 // of them
	Lost     []Loss
}

// Salvage copies what can be read of a journal that Open or Recover calls damaged
// into a new directory, which must be empty: every frame whose checksums hold, in
// its order. The damaged one is not changed. Frames of another format version
// cannot be read, and are among what is lost. What the records that are missing
// mean for those that are there, the owners say at Recover.
func Salvage(ctx context.Context, from, to string, disk Disk) (Salvaged, error) {
	if disk == nil {
		disk = osDisk{}
	}
	s := &salvager{disk: disk, to: to, blobs: 1, now: time.Now()}
	lock, err := disk.Lock(filepath.Join(from, "lock"))
	if err != nil {
		return s.done, fmt.Errorf("journal: %w", err)
	}
	defer lock.Close()
	files, err := salvageable(disk, from)
	if err != nil {
		return s.done, err
	}
	if err := s.target(); err != nil {
		return s.done, err
	}
	for i, f := range files {
		s.last = i == len(files)-1
		if err := s.segment(ctx, f); err != nil {
			return s.done, fmt.Errorf("journal: salvaging %s: %w", f.path, err)
		}
	}
	return s.done, disk.SyncDir(to)
}

// oldFile is a segment to be salvaged.
type oldFile struct {
	path, base string
	number     uint32
}

// salvageable are the segments in a directory, oldest first. Where a crash left two
// names of one, only the blobs count.
func salvageable(disk Disk, dir string) ([]oldFile, error) {
	names, err := disk.List(dir)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	var files []oldFile
	for _, name := range names {
		ext := filepath.Ext(name)
		n, err := strconv.ParseUint(strings.TrimSuffix(name, ext), 10, 32)
		if err != nil || n == 0 || ext != extSegment && ext != extBlobs ||
			ext == extSegment && slices.Contains(names, strings.TrimSuffix(name, ext)+extBlobs) {
			continue
		}
		files = append(files, oldFile{filepath.Join(dir, name), name, uint32(n)})
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("journal: %s has no segments to salvage", dir)
	}
	slices.SortFunc(files, func(a, b oldFile) int { return int(a.number) - int(b.number) })
	return files, nil
}

// salvager copies one journal.
type salvager struct {
	disk  Disk
	to    string
	done  Salvaged
	blobs BlobID // no name from here on was seen
	now   time.Time
	last  bool

	// of the segment at hand
	file oldFile
	in   window
	out  File
	off  int64 // in out
	seq  uint64
	bad  int64 // where the run of octets began that cannot be read; -1: there is none
	why  error
}

func (s *salvager) target() error {
	if err := s.disk.MkdirAll(s.to); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	names, err := s.disk.List(s.to)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if len(names) > 0 {
		return fmt.Errorf("journal: %s is not empty: name a new directory", s.to)
	}
	return nil
}

// segment copies one segment.
func (s *salvager) segment(ctx context.Context, f oldFile) error {
	src, err := s.disk.Open(f.path)
	if err != nil {
		return err
	}
	defer src.Close()
	size, err := src.Size()
	if err != nil {
		return err
	}
	s.file, s.in, s.out, s.off, s.seq, s.bad = f, window{f: src, size: size}, nil, 0, 0, -1
	defer func() {
		if s.out != nil {
			s.out.Close()
		}
	}()
	for at := int64(0); at < size; {
		if err := ctx.Err(); err != nil {
			return err
		}
		h, err := s.frame(at)
		if err == nil {
			s.lose(at)
			if err := s.copy(h, at); err != nil {
				return err
			}
			at += headLen + int64(h.length)
			continue
		}
		if s.bad < 0 {
			s.bad, s.why = at, err
		}
		at = s.nextFrame(at + 1)
	}
	s.lose(size)
	return s.finish()
}

// frame checks the frame at a place to its last octet.
func (s *salvager) frame(at int64) (frame, error) {
	p, err := s.in.at(at, headLen)
	if err != nil {
		return frame{}, err
	}
	h, err := decodeFrame(p, s.file.number)
	if err != nil {
		return h, err
	}
	if h.seq <= s.seq && s.off > 0 {
		return h, errOrder
	}
	if h.typ < frameSegment || h.typ > frameSeal {
		return h, fmt.Errorf("a frame of the unknown type %d", h.typ)
	}
	payload, err := s.in.at(at+headLen, int(h.length))
	if err != nil {
		return h, err
	}
	if checksum(payload) != h.sum {
		if h.typ == frameBlob {
			return h, fmt.Errorf("blob %d: %w", h.blob, errSum)
		}
		return h, errSum
	}
	return h, nil
}

// nextFrame finds the next place from off on where a head can be read, or the end.
func (s *salvager) nextFrame(off int64) int64 {
	const step = 1 << 20
	for off < s.in.size {
		n := int(min(step, s.in.size-off))
		p, err := s.in.at(off, n)
		if err != nil { // a disk that does not read: block by block
			n = min(n, 4096)
			if p, err = s.in.at(off, n); err != nil {
				off += int64(n)
				continue
			}
		}
		for i := 0; ; i++ {
			k := bytes.Index(p[i:], []byte("FPJ"))
			if k < 0 {
				break
			}
			if i += k; len(p)-i < headLen {
				break
			}
			if _, err := decodeFrame(p[i:], s.file.number); err == nil {
				return off + int64(i)
			}
		}
		if off+int64(n) >= s.in.size {
			break
		}
		off += int64(max(1, n-headLen+1))
	}
	return s.in.size
}

// lose notes the run of octets that ends before a place. Zeros at the end are room
// that was never used.
func (s *salvager) lose(end int64) {
	if s.bad < 0 {
		return
	}
	from := s.bad
	s.bad = -1
	atEnd := end == s.in.size
	if atEnd && errors.Is(s.why, errNoFrame) && s.zero(from, end) {
		return
	}
	s.done.Lost = append(s.done.Lost, Loss{File: s.file.path, Offset: from, Octets: end - from, Why: s.why.Error(),
		Torn: atEnd && s.last && from >= segmentHeadLen && torn(s.why)})
}

func (s *salvager) zero(from, end int64) bool {
	for from < end {
		n := int(min(windowLen, end-from))
		p, err := s.in.at(from, n)
		if err != nil || len(bytes.Trim(p, "\x00")) > 0 {
			return false
		}
		from += int64(n)
	}
	return true
}

// copy appends a frame that was checked.
func (s *salvager) copy(h frame, at int64) error {
	if h.typ == frameSeal { // a new one is made
		s.seq = h.seq
		return nil
	}
	p, err := s.in.at(at, headLen+int(h.length))
	if err != nil {
		return err
	}
	if h.typ == frameBlob {
		s.blobs = max(s.blobs, h.blob+1)
	}
	if h.typ == frameSegment {
		if head, err := decodeSegmentHead(p[headLen:]); err == nil {
			s.blobs = max(s.blobs, head.nextBlob)
		}
	}
	p = bytes.Clone(p) // the window moves on
	if s.out == nil {
		if err := s.begin(h); err != nil {
			return err
		}
	}
	if h.typ == frameSegment && s.off > 0 {
		return nil // a head was made for it already
	}
	if _, err := s.out.WriteAt(p, s.off); err != nil {
		return err
	}
	s.off, s.seq = s.off+int64(len(p)), h.seq
	s.done.Frames++
	s.done.Octets += int64(len(p))
	return nil
}

// begin makes the new file, with a head of our own where the old one is lost. Names
// of blobs are never given twice, so that one leaves room for those that are lost.
func (s *salvager) begin(first frame) (err error) {
	if s.out, err = s.disk.Create(filepath.Join(s.to, s.file.base)); err != nil {
		return err
	}
	s.done.Segments++
	if first.typ == frameSegment {
		return nil
	}
	head := segmentHead{created: s.now, nextBlob: s.blobs + 1<<20}.encode()
	h := frame{typ: frameSegment, length: segmentHeadLen - headLen, sum: checksum(head[headLen:]), seq: max(first.seq, 2) - 1, segment: s.file.number}
	h.encode(head)
	if _, err := s.out.WriteAt(head, 0); err != nil {
		return err
	}
	s.off = int64(len(head))
	return nil
}

// finish seals the new segment.
func (s *salvager) finish() error {
	if s.out == nil {
		return nil
	}
	return sealAt(&segment{number: s.file.number, f: s.out}, s.off, s.seq+1, s.seq, s.now.UnixMilli())
}
