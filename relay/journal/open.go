package journal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type lifeState uint8

const (
	opened lifeState = iota
	recovering
	running
	closed
)

// journal is the inside of a Journal.
type journal struct {
	dir         string
	disk        Disk
	lock        io.Closer
	segmentSize int64
	reserve     int64 // of a segment, for records alone
	chunk       int   // octets of a blob in memory
	maxDelay    time.Duration
	noSync      bool
	maxAge      time.Duration
	skim        bool
	now         func() time.Time
	log         *slog.Logger
	owners      [256]Owner
	buffers     buffers
	requests    sync.Pool // of the journal, not of the process: tests in a bubble of time may not share channels

	mu       sync.Mutex // guards what follows
	state    lifeState
	segments map[uint32]*segment
	last     uint32 // the highest number given to a segment
	table    blobTable
	missing  []BlobID // that records refer to

	nextBlob atomic.Uint64
	syncs    atomic.Uint64
	broken   atomic.Pointer[error]

	queueMu sync.Mutex // guards what follows
	queue   []*request
	refuse  error // what requests are answered with at once
	closing bool

	wake    chan struct{}
	stopped chan struct{} // closed when the writer has gone
	w       writer
	compactor
}

const (
	defaultSegmentSize = 256 << 20
	minSegmentSize     = 4 << 10
	maxSegmentSize     = 2 << 30 // offsets are kept in 32 bits
)

var errNotRecovered = errors.New("journal: Recover comes first")

func open(dir string, o Options) (*Journal, error) {
	j := &Journal{}
	j.configure(dir, o)
	if err := j.disk.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	lock, err := j.disk.Lock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	j.lock = lock
	if err := j.findSegments(); err != nil {
		j.closeFiles()
		return nil, fmt.Errorf("journal: %w", err)
	}
	return j, nil
}

func (j *journal) configure(dir string, o Options) {
	j.dir, j.disk, j.log, j.now, j.noSync = dir, o.Disk, o.Log, o.Now, o.NoSync
	if j.disk == nil {
		j.disk = osDisk{}
	}
	if j.log == nil {
		j.log = slog.New(slog.DiscardHandler)
	}
	if j.now == nil {
		j.now = time.Now
	}
	j.maxAge, j.skim = o.MaxAge, o.Skim
	j.maxDelay = o.MaxDelay
	if j.maxDelay <= 0 {
		j.maxDelay = time.Second
	}
	j.segmentSize = defaultSegmentSize
	if o.SegmentSize > 0 {
		j.segmentSize = min(max(o.SegmentSize, minSegmentSize), maxSegmentSize)
	}
	j.reserve = j.segmentSize / 16
	j.chunk = int(min(chunkLen, j.segmentSize/4))
	j.segments, j.table = map[uint32]*segment{}, newBlobTable()
	j.refuse = errNotRecovered
	j.wake, j.stopped = make(chan struct{}, 1), make(chan struct{})
	j.w.j = j
	j.nextBlob.Store(1)
	j.compactor.init()
}

// findSegments opens the segments in the directory and checks their heads.
func (j *journal) findSegments() error {
	names, err := j.disk.List(j.dir)
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		path, ext := filepath.Join(j.dir, name), filepath.Ext(name)
		switch ext {
		case extNew:
			if err := j.disk.Remove(path); err != nil {
				return err
			}
		case extSegment, extBlobs:
			number, err := strconv.ParseUint(strings.TrimSuffix(name, ext), 10, 32)
			if err != nil || number == 0 {
				return fmt.Errorf("%s: not a name of a segment: move the file away", path)
			}
			if err := j.openSegment(path, uint32(number), ext == extBlobs); err != nil {
				return err
			}
		}
	}
	return nil
}

// openSegment opens one segment. A crash in the middle of a renaming may leave
// both names on some file systems; the records count only if .blobs is not there.
func (j *journal) openSegment(path string, number uint32, void bool) error {
	f, err := j.disk.Open(path)
	if err != nil {
		return err
	}
	size, err := f.Size()
	if err != nil {
		f.Close()
		return err
	}
	s := &segment{number: number, f: f, alloc: size, void: void}
	s.hold()
	if old := j.segments[number]; old != nil {
		s.void = true
		old.drop()
	}
	j.segments[number] = s
	j.last = max(j.last, number)
	head, err := readHead(s, path)
	if err != nil {
		return err
	}
	s.created = head.created
	j.raiseBlob(head.nextBlob)
	return nil
}

// readHead reads the first frame of a segment.
func readHead(s *segment, path string) (segmentHead, error) {
	p := make([]byte, segmentHeadLen)
	if n, err := s.f.ReadAt(p, 0); n < len(p) {
		return segmentHead{}, &DamageError{File: path, Err: fmt.Errorf("shorter than the head of a segment: %w", err)}
	}
	if string(p[:3]) == "FPJ" && p[3] != version {
		return segmentHead{}, fmt.Errorf("%s: written in format version %d, this program knows %d: use the program that wrote it (forepost store salvage tells what else there is)", path, p[3], version)
	}
	h, err := decodeFrame(p, s.number)
	if err == nil && h.typ != frameSegment {
		err = errors.New("it does not begin with the head of a segment")
	}
	if err == nil && h.sum != checksum(p[headLen:]) {
		err = errSum
	}
	if err != nil {
		return segmentHead{}, &DamageError{File: path, Err: err}
	}
	return decodeSegmentHead(p[headLen:])
}

func (j *journal) raiseBlob(next BlobID) {
	if uint64(next) > j.nextBlob.Load() {
		j.nextBlob.Store(uint64(next))
	}
}

func (j *journal) register(o Owner, kinds []Kind) {
	for _, k := range kinds {
		j.owners[k] = o
	}
}

// start lets the writer run.
func (j *journal) start() {
	j.mu.Lock()
	j.state = running
	j.mu.Unlock()
	j.queueMu.Lock()
	j.refuse = nil
	j.queueMu.Unlock()
	go j.w.loop()
	go j.compactor.loop(j)
}

func (j *journal) close() error {
	j.mu.Lock()
	was := j.state
	j.state = closed
	j.mu.Unlock()
	if was == closed {
		return nil
	}
	var err error
	if was == running {
		j.compactor.stop()
		err = j.do(j.w.stop)
		j.queueMu.Lock()
		j.refuse, j.closing = ErrClosed, true
		j.queueMu.Unlock()
		j.wakeUp()
		<-j.stopped
	}
	j.closeFiles()
	return err
}

// stop seals the segment, so that the next start need not look for a torn end.
func (w *writer) stop() error {
	w.j.queueMu.Lock()
	w.j.refuse = ErrClosed
	w.j.queueMu.Unlock()
	return w.seal()
}

func (j *journal) wakeUp() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

func (j *journal) closeFiles() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for n, s := range j.segments {
		s.drop()
		delete(j.segments, n)
	}
	j.lock.Close()
}

func (j *journal) stats() Stats {
	j.mu.Lock()
	defer j.mu.Unlock()
	st := Stats{Segments: len(j.segments), Blobs: len(j.table.places), Syncs: j.syncs.Load()}
	for _, s := range j.segments {
		st.Bytes += max(s.alloc, s.written)
		st.Live += s.live + j.liveRecords(s)
	}
	return st
}

// recover replays and starts.
func (j *journal) recover(ctx context.Context) error {
	j.mu.Lock()
	was := j.state
	j.state = recovering
	j.mu.Unlock()
	if was != opened {
		return errors.New("journal: Recover is called once")
	}
	if err := j.replay(ctx); err != nil {
		return err
	}
	j.start()
	return nil
}
