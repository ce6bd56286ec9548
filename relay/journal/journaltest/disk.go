// Package journaltest has a disk in memory that forgets what was not synced,
// tears what was being written, fails and runs full, to prove by it what a
// journal and the rooms above it promise.
package journaltest

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/forepost/forepost/relay/journal"
)

// ErrStopped is what every operation on a disk says after its machine stopped.
var ErrStopped = errors.New("journaltest: the machine has stopped")

// Disk is a journal.Disk in memory. It is safe for concurrent use.
type Disk struct {
	mu      sync.Mutex
	names   map[string]*inode
	durable map[string]*inode         // what the directories say after a crash
	moves   []func(map[string]*inode) // changes of directories since they were synced
	locks   map[string]bool
	stopped bool
	left    int // operations until the machine stops, -1 for never
	space   int64
	fail    func(op, name string) error
}

// New makes an empty disk with unbounded space.
func New() *Disk {
	return &Disk{
		names: map[string]*inode{}, durable: map[string]*inode{}, locks: map[string]bool{},
		left: -1, space: 1 << 62,
	}
}

// StopAfter lets the machine stop after n more operations that change
// something, in the middle of the last: it is torn.
func (d *Disk) StopAfter(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.left = n
}

// SetSpace bounds the disk to so many octets in all its files; more is ENOSPC.
func (d *Disk) SetSpace(n int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.space = n
}

// SetFail installs f, which is asked before each operation (create, open,
// rename, remove, syncdir, read, write, allocate, truncate, sync) and may make
// it fail. nil takes it out.
func (d *Disk) SetFail(f func(op, name string) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.fail = f
}

// step says whether an operation may happen; torn, that it is the last, and
// happens in part. The caller holds mu.
func (d *Disk) step(op, name string, changes bool) (torn bool, err error) {
	if d.stopped {
		return false, ErrStopped
	}
	if d.fail != nil {
		if err := d.fail(op, name); err != nil {
			return false, &fs.PathError{Op: op, Path: name, Err: err}
		}
	}
	if !changes || d.left < 0 {
		return false, nil
	}
	if d.left == 0 {
		d.stopped = true
		return true, ErrStopped
	}
	d.left--
	return false, nil
}

// move changes the directories, durable with the next SyncDir.
func (d *Disk) move(f func(map[string]*inode)) {
	f(d.names)
	d.moves = append(d.moves, f)
}

// MkdirAll has nothing to do: directories are not kept.
func (d *Disk) MkdirAll(string) error { return nil }

// List returns the base names of the files in dir.
func (d *Disk) List(dir string) (names []string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for name := range d.names {
		if filepath.Dir(name) == filepath.Clean(dir) {
			names = append(names, filepath.Base(name))
		}
	}
	_, err = d.step("list", dir, false)
	return names, err
}

// Create makes an empty file.
func (d *Disk) Create(name string) (journal.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.step("create", name, true); err != nil {
		return nil, err
	}
	node := &inode{}
	d.move(func(m map[string]*inode) { m[name] = node })
	return &file{d, name, node}, nil
}

// Open finds a file.
func (d *Disk) Open(name string) (journal.File, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.step("open", name, false); err != nil {
		return nil, err
	}
	node := d.names[name]
	if node == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{d, name, node}, nil
}

// Rename is atomic.
func (d *Disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.step("rename", from, true); err != nil {
		return err
	}
	d.move(func(m map[string]*inode) { m[to] = m[from]; delete(m, from) })
	return nil
}

// Remove takes the name away; who has the file open reads on.
func (d *Disk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.step("remove", name, true); err != nil {
		return err
	}
	d.move(func(m map[string]*inode) { delete(m, name) })
	return nil
}

// SyncDir makes all changes of directories durable.
func (d *Disk) SyncDir(dir string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.step("syncdir", dir, true); err != nil {
		return err
	}
	d.durable, d.moves = maps.Clone(d.names), nil
	return nil
}

// Lock takes name until the Closer is closed.
func (d *Disk) Lock(name string) (io.Closer, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.locks[name] {
		return nil, fmt.Errorf("%s is in use", name)
	}
	d.locks[name] = true
	return unlocker{d, name}, nil
}

type unlocker struct {
	d    *Disk
	name string
}

func (u unlocker) Close() error {
	u.d.mu.Lock()
	defer u.d.mu.Unlock()
	delete(u.d.locks, u.name)
	return nil
}

// used is how many octets the files have. The caller holds mu.
func (d *Disk) used() (n int64) {
	for _, node := range d.names {
		n += int64(len(node.data))
	}
	return n
}

// fits says ENOSPC if n more octets do not. The caller holds mu.
func (d *Disk) fits(n int64) error {
	if n > 0 && d.used()+n > d.space {
		return syscall.ENOSPC
	}
	return nil
}
