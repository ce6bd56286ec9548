package journaltest

import "io"

// file is a journal.File of a Disk.
type file struct {
	d    *Disk
	name string
	node *inode
}

func (f *file) Close() error { return nil }

func (f *file) Size() (int64, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return int64(len(f.node.data)), nil
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if _, err := f.d.step("read", f.name, false); err != nil {
		return 0, err
	}
	if off >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	torn, err := f.d.step("write", f.name, true)
	if err == nil {
		err = f.d.fits(off + int64(len(p)) - int64(len(f.node.data)))
	}
	if err != nil && !torn {
		return 0, err
	}
	f.node.do(change{off: off, data: append([]byte(nil), p...), length: -1})
	return len(p), err
}

// Allocate keeps what is there, as fallocate does.
func (f *file) Allocate(size int64) error { return f.resize("allocate", size, true) }

func (f *file) Truncate(size int64) error { return f.resize("truncate", size, false) }

func (f *file) resize(op string, size int64, grow bool) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if _, err := f.d.step(op, f.name, true); err != nil {
		return err
	}
	if err := f.d.fits(size - int64(len(f.node.data))); err != nil {
		return err
	}
	if !grow || size > int64(len(f.node.data)) {
		f.node.do(change{length: size})
	}
	return nil
}

// Sync that fails has lost what was to be synced, as on Linux: it can be read until
// the machine stops, and a later Sync finds nothing to do for it.
func (f *file) Sync() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if _, err := f.d.step("sync", f.name, true); err != nil {
		if !f.d.stopped {
			f.node.changes = nil
		}
		return err
	}
	f.node.sync()
	return nil
}
