package trail

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forepost/forepost/relay/journal"
)

// Options of Open. The zero value is usable.
type Options struct {
	Keep     time.Duration // how long records are kept; default 30 days
	MaxBytes int64         // how many octets the trail may have; default 16 GiB; the oldest go first
	Segment  int64         // octets of a file; default 64 MiB (tests use less)
	Now      func() time.Time
	Log      *slog.Logger
	Disk     journal.Disk // default: the operating system's
}

const (
	defaultKeep     = 30 * 24 * time.Hour
	defaultMaxBytes = 16 << 30

	// segmentSize is what is given up at once when the trail grows too large: some
	// 100,000 records.
	segmentSize = 64 << 20

	// segmentAge bounds how much longer than Keep a record may be kept, since
	// whole segments are dropped.
	segmentAge = 24 * time.Hour

	dropEvery = time.Hour
)

// Trail keeps records and events, and finds them. It is safe for concurrent use.
type Trail struct {
	o    Options
	j    *journal.Journal
	log  *slog.Logger
	now  func() time.Time
	buf  buffer
	kick chan struct{}

	encoding sync.Mutex  // the dictionary, and the order of what needs it
	dict     *dictionary // guarded by encoding
	renew    atomic.Bool // there is a new segment: it wants a dictionary of its own
	last     uint32      // the segment that the last batch came into; the writer's
	indexed  int64       // where in it the indexer was last woken; the writer's
	tables   tables
	lost     sync.Map // lostWords

	catalog   *catalog
	followers followers

	stop context.CancelFunc
	gone sync.WaitGroup
}

var _ Writer = (*Trail)(nil)

// Open opens the trail in dir, which is its alone.
func Open(dir string, o Options) (*Trail, error) {
	if o.Keep <= 0 {
		o.Keep = defaultKeep
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = defaultMaxBytes
	}
	if o.Segment <= 0 {
		o.Segment = segmentSize
	}
	t := &Trail{o: o, log: o.Log, now: o.Now, kick: make(chan struct{}, 1), dict: newDictionary()}
	if t.log == nil {
		t.log = slog.New(slog.DiscardHandler)
	}
	if t.now == nil {
		t.now = time.Now
	}
	var err error
	t.j, err = journal.Open(dir, journal.Options{
		SegmentSize: o.Segment, MaxAge: segmentAge, NoSync: true, Skim: true, Disk: o.Disk, Now: t.now, Log: t.log,
	})
	if err != nil {
		return nil, fmt.Errorf("trail: %w", err)
	}
	if err := t.j.Recover(context.Background()); err != nil {
		t.j.Close()
		return nil, fmt.Errorf("trail: %w", err)
	}
	if t.catalog, err = newCatalog(t, dir, t.disk()); err != nil {
		t.j.Close()
		return nil, fmt.Errorf("trail: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	t.stop = stop
	t.gone.Go(func() { t.write(ctx) })
	t.gone.Go(func() { t.forgetOld(ctx) })
	t.gone.Go(func() { t.catalog.run(ctx) })
	return t, nil
}

// forgetOld drops what is older than Keep, now and then.
func (t *Trail) forgetOld(ctx context.Context) {
	tick := time.NewTicker(dropEvery)
	defer tick.Stop()
	for {
		if err := t.forget(); err != nil {
			t.log.Warn("the trail cannot drop what is old", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (t *Trail) forget() error {
	_, err := t.j.Drop(t.now().Add(-t.o.Keep), t.o.MaxBytes)
	left := map[uint32]bool{}
	for _, s := range t.j.Segments() {
		left[s.Number] = true
	}
	return errors.Join(err, t.catalog.forget(left))
}

// disk is the file system that the journal is on.
func (t *Trail) disk() journal.Disk {
	if t.o.Disk != nil {
		return t.o.Disk
	}
	return journal.OSDisk()
}

// Stats is how much there is.
type Stats struct {
	Written, Dropped uint64 // records and events, since the start
	Bytes            int64
	Unindexed        int64     // octets of it that no index covers yet: searches read them
	Oldest           time.Time // zero for an empty trail
}

// Stats counts. Dropped rises when the disk does not keep up, or is full: mail
// does not wait for its trail.
func (t *Trail) Stats() Stats {
	st := Stats{Written: t.buf.written.Load(), Dropped: t.buf.dropped.Load()}
	for _, s := range t.j.Segments() {
		st.Bytes += s.Bytes
		st.Unindexed += t.catalog.missing(s)
		if st.Oldest.IsZero() {
			st.Oldest = s.Created
		}
	}
	return st
}

// Close writes what is in memory, and closes the files.
func (t *Trail) Close() error {
	t.stop()
	t.gone.Wait()
	t.encoding.Lock()
	t.renew.Store(false)
	t.renewWords() // whole, where the next start finds it at once
	t.flush()
	t.encoding.Unlock()
	t.followers.end()
	t.catalog.close()
	return t.j.Close()
}
