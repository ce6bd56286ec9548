package journal

import "io"

// Disk is the file system under a journal: the operating system's, or one that
// forgets (journaltest). Names are whole paths.
type Disk interface {
	MkdirAll(dir string) error
	List(dir string) ([]string, error) // base names, in no order

	// Create makes a file, empty if it was there; Open finds one. Both are for
	// reading and writing.
	Create(name string) (File, error)
	Open(name string) (File, error)

	Rename(from, to string) error
	Remove(name string) error

	// SyncDir makes creations, renames and removals in dir durable.
	SyncDir(dir string) error

	// Lock takes name for this process until the Closer is closed. If another
	// has it, the error says which.
	Lock(name string) (io.Closer, error)
}

// File is one file of a Disk. ReadAt may be called from many goroutines while
// WriteAt is.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Size() (int64, error)

	// Allocate makes the file size octets long, the new ones zero, with their
	// place on the disk reserved, so that writing into them does not fail for
	// want of space and syncs quickly.
	Allocate(size int64) error
	Truncate(size int64) error

	// Sync returns once all that was written is on the disk.
	Sync() error
}
