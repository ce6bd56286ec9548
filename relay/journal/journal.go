// Package journal is the append-only log that the house keeps things in, and
// the only place that syncs. It has records, which belong to the room that
// registered their kind, and blobs, which live as long as somebody holds them.
package journal

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// Kind is the type of a record. Each belongs to one Owner; the list below is
// the one place where they are given, since files outlive programs.
type Kind uint8

// The kinds of records, by owner. 0 to 15 are the journal's own.
const (
	KindQueue   Kind = 16 // 16 to 31: relay/queue
	KindStore   Kind = 32 // 32 to 63: imapstore
	KindUsers   Kind = 64 // 64 to 71: imapstore/accounts
	KindState   Kind = 72 // 72 to 79: relay/state
	KindTrail   Kind = 80 // 80 to 87: relay/trail
	KindReports Kind = 88 // 88 to 95: cmd/internal/reports
)

// BlobID names a blob of one journal, for ever. Zero names none.
type BlobID uint64

// Owner is a room that keeps records.
type Owner interface {
	// Replay is handed every record of the owner's kinds, in the order in which
	// they were appended, while Recover runs. data is valid during the call. It
	// calls Hold for the blobs that it refers to. An error ends recovery and is
	// shown with the record's place. After compaction an item's newest record
	// may come after events that were about it, and after a crash in the middle
	// of compaction an item is replayed twice: what is unknown is passed over,
	// what is known is set anew, and each blob is held once in all.
	//
	// Blob finds a blob from the end of Recover on, not before.
	Replay(k Kind, data []byte) error

	// Rewrite is called when a segment is to be given up: if what the record is
	// about still lives, the owner adds its whole present state to b as records
	// of its own whose replay, at their new place, gives that state again. It
	// must not wait for the journal: it runs on its writer, after everything
	// that was handed in before is durable and Batch.Then was called for it. So
	// that it tells the truth, an owner changes what Rewrite looks at either
	// before it hands in the batch that says so, or in Batch.Then.
	Rewrite(k Kind, data []byte, b *Batch) error
}

// Options of Open. The zero value is usable.
type Options struct {
	SegmentSize int64         // octets; default 256 MiB (tests use less)
	MaxDelay    time.Duration // the longest that Append (not Commit) leaves records unsynced; default 1 s; on a quick disk it is 10 ms
	NoSync      bool          // for what may be lost in a power cut (trail, state): Commit does not wait for the disk
	MaxAge      time.Duration // a segment older than this is followed by a new one at the next write; default none
	Skim        bool          // for what is read with Scan and given up with Drop (trail): no replay, no compaction, no blobs
	Disk        Disk          // default: the operating system's
	Now         func() time.Time
	Log         *slog.Logger
}

// Errors that callers tell apart.
var (
	ErrFull   = errors.New("journal: the disk is full")            // nothing was kept; later commits may succeed
	ErrBroken = errors.New("journal: stopped after a failed sync") // for good: see the log for the first error
	ErrClosed = errors.New("journal: closed")
	ErrNoBlob = errors.New("journal: no such blob")
)

// Batch is a set of records and blobs that become durable together or not at
// all. It is filled by one goroutine and used once.
type Batch struct{ batch }

// Add puts a record into the batch; data is copied.
func (b *Batch) Add(k Kind, data []byte) { b.add(k, data) }

// AddBlob puts a finished blob, begun with NewBlob, into the batch: it becomes
// durable with it, and the caller holds it once. A blob that no batch takes must
// be discarded.
func (b *Batch) AddBlob(w *BlobWriter) { b.addBlob(w) }

// Then has f called from the writer once the batch is durable (with Append:
// written), in the order of the log, before Commit returns; not if it fails. f
// must be quick and must not wait for the journal.
func (b *Batch) Then(f func()) { b.then = append(b.then, f) }

// Journal is one log in one directory. It is safe for concurrent use.
type Journal struct{ journal }

// Open takes the directory (made if missing, one process at a time) and checks
// its segments. Register and Recover come next.
func Open(dir string, o Options) (*Journal, error) { return open(dir, o) }

// Register tells who owns the records of a kind. It is called before Recover.
func (j *Journal) Register(o Owner, kinds ...Kind) { j.register(o, kinds) }

// Recover replays everything that was kept, cuts a torn tail, drops the blobs
// that nobody holds, and makes the journal ready to be written.
func (j *Journal) Recover(ctx context.Context) error { return j.recover(ctx) }

// Commit returns once the batch is on the disk. The error of a full disk is
// ErrFull. A commit whose ctx ends may still happen.
func (j *Journal) Commit(ctx context.Context, b *Batch) error { return j.commit(ctx, b) }

// Append is Commit that does not wait: the batch is kept in order with all
// others and synced with the next commit, soon after if there is none, and within
// MaxDelay (with NoSync: after that). done, if not nil,
// is called (from the writer; it must be quick) when it is, or when it failed.
func (j *Journal) Append(b *Batch, done func(error)) { j.append(b, done) }

// NewBlob begins a blob: write its octets, then give it to a batch. Small ones
// stay in memory until then; large ones go to the segment as they come.
func (j *Journal) NewBlob() *BlobWriter { return j.newBlob() }

// BlobWriter takes the octets of a blob. It is an io.Writer for one goroutine.
type BlobWriter struct{ blobWriter }

// Write takes the next octets. A full disk is ErrFull.
func (w *BlobWriter) Write(p []byte) (int, error) { return w.write(p) }

// ID is the name that the blob has once it is committed.
func (w *BlobWriter) ID() BlobID { return w.id }

// Blob reads what was written so far, before the commit and after it. It is
// the same value that Journal.Blob would give.
func (w *BlobWriter) Blob() *Blob { return w.blob() }

// Discard gives the blob up; after AddBlob and a commit it does nothing.
func (w *BlobWriter) Discard() { w.discard() }

// Blob is a committed blob, or one being written. It implements mail.Blob; the
// local store knows by it that the octets lie in the journal already.
type Blob struct {
	ID BlobID
	blobRef
}

var _ mail.Blob = (*Blob)(nil)

// Size is in octets.
func (b *Blob) Size() int64 { return b.size() }

// Open returns a reader, good while the blob is held and for readers opened
// before the last Release.
func (b *Blob) Open() (mail.BlobReader, error) { return b.open() }

// Blob finds a blob by its name.
func (j *Journal) Blob(id BlobID) (*Blob, error) { return j.findBlob(id) }

// Hold counts one more reason for the blob to live. During Recover every owner
// calls it for what it refers to.
func (j *Journal) Hold(id BlobID) { j.hold(id) }

// Release takes one reason back. At none the space is given back by compaction.
func (j *Journal) Release(id BlobID) { j.release(id) }

// Compact gives up the segments whose live share is low. It runs by itself,
// too; done is how many segments went.
func (j *Journal) Compact(ctx context.Context) (done int, err error) { return j.compact(ctx) }

// Segment is one file of a Journal.
type Segment struct {
	Number  uint32
	Bytes   int64 // written
	Created time.Time
	Sealed  time.Time // zero while it is written
}

// Segments are all that there are, oldest first.
func (j *Journal) Segments() []Segment { return j.list() }

// Scan calls f for the records in a segment that were written up to now, in
// their order. data is valid during the call. A segment that is not there (any
// more) has none. An error of f ends the scan and is returned as it is.
func (j *Journal) Scan(ctx context.Context, segment uint32, f func(k Kind, data []byte) error) error {
	return j.scan(ctx, segment, f)
}

// ScanFrom is Scan from a place on: 0, or one that f was told. at is the place of
// the batch that the record stands in, next the one behind it, from which a later
// scan goes on.
func (j *Journal) ScanFrom(ctx context.Context, segment uint32, from int64, f func(at, next int64, k Kind, data []byte) error) error {
	return j.scanFrom(ctx, segment, from, false, f)
}

// ScanBatch is ScanFrom of the one batch at a place.
func (j *Journal) ScanBatch(ctx context.Context, segment uint32, at int64, f func(k Kind, data []byte) error) error {
	return j.scanFrom(ctx, segment, at, true, func(_, _ int64, k Kind, data []byte) error { return f(k, data) })
}

// Drop gives up the oldest segments whole, without asking the owners: those
// sealed before a time, and as many more as it takes for the rest to have most
// octets at the most (0: no bound). For journals without blobs.
func (j *Journal) Drop(before time.Time, most int64) (done int, err error) {
	return j.dropOld(before, most)
}

// Stats is how much there is.
type Stats struct {
	Segments    int
	Bytes, Live int64
	Blobs       int
	Syncs       uint64
}

// Missing are the blobs that records referred to at Recover and that were not
// there: of a journal that was salvaged, or damaged unseen.
func (j *Journal) Missing() []BlobID { return j.missing }

// Stats counts.
func (j *Journal) Stats() Stats { return j.stats() }

// Close writes and syncs what was appended and closes the files.
func (j *Journal) Close() error { return j.close() }
