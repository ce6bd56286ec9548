package geo

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oschwald/maxminddb-golang/v2"
)

// lookAgain is how often a file is looked at for a newer one in its place.
const lookAgain = 10 * time.Second

// probed is how many networks of a file may lack a field before it is taken for
// a file without it.
const probed = 100_000

// database is a file in MMDB format. It is read whole and not mapped: whoever
// writes over a mapped file ends the process that reads it.
type database struct {
	path   string
	fields []string // what it is asked for: asn, country
	now    func() time.Time
	log    *slog.Logger

	db     atomic.Pointer[maxminddb.Reader]
	next   atomic.Int64 // when the file is looked at again, in ns of Unix time
	mu     sync.Mutex
	seen   fs.FileInfo // the file that was read, or tried, last
	failed bool        // it was told that there is no file any more
}

// open reads the file for the first time.
func (d *database) open() error {
	info, err := os.Stat(d.path)
	if err != nil {
		return explained(d.path, err)
	}
	db, err := d.read(info)
	if err != nil {
		return err
	}
	d.seen = info
	d.db.Store(db)
	d.next.Store(d.now().Add(lookAgain).UnixNano())
	return nil
}

// current is the database as its file is now, or was a few seconds ago. While one
// session reads a new file the others go on with the old one.
func (d *database) current() *maxminddb.Reader {
	if now := d.now(); now.UnixNano() >= d.next.Load() && d.mu.TryLock() {
		d.refresh()
		d.next.Store(now.Add(lookAgain).UnixNano())
		d.mu.Unlock()
	}
	return d.db.Load()
}

// refresh takes the file up if it is another one than before. The old one stays
// in force where there is none or it is damaged, which is told once.
func (d *database) refresh() {
	info, err := os.Stat(d.path)
	if err != nil {
		if !d.failed {
			d.log.Warn("a database of networks is gone: what was read of it stays in force", "file", d.path, "error", err)
		}
		d.failed = true
		return
	}
	d.failed = false
	if os.SameFile(info, d.seen) && info.ModTime().Equal(d.seen.ModTime()) && info.Size() == d.seen.Size() {
		return
	}
	d.seen = info
	db, err := d.read(info)
	if err != nil {
		d.log.Error("a database of networks has changed and cannot be used: the one before stays in force", "file", d.path, "error", err)
		return
	}
	d.db.Store(db)
	d.log.Info("a database of networks has changed", "file", d.path, "of", db.Metadata.BuildTime().UTC().Format(time.DateOnly))
}

// read reads the file and sees that it has what it is asked for.
func (d *database) read(info fs.FileInfo) (db *maxminddb.Reader, err error) {
	defer d.caught(&err)
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file; name the database itself, whose name ends in .mmdb", d.path)
	}
	b, err := os.ReadFile(d.path)
	if err != nil {
		return nil, explained(d.path, err)
	}
	if db, err = maxminddb.OpenBytes(b); err != nil {
		return nil, fmt.Errorf("%s is damaged, or no database in MMDB format (%w); fetch it again, unpacked", d.path, err)
	}
	for _, field := range d.fields {
		if err := d.has(db, field); err != nil {
			return nil, err
		}
	}
	return db, nil
}

// has looks for a record with a field, so that a file of another sort is told
// when it is named, and not by rules that never match.
func (d *database) has(db *maxminddb.Reader, field string) error {
	n := 0
	for r := range db.Networks() {
		found, err := false, r.Err()
		if err == nil {
			found, err = knows(r, field)
		}
		if err != nil {
			return fmt.Errorf("%s is damaged (%w); fetch it again", d.path, err)
		}
		if found {
			return nil
		}
		if n++; n == probed {
			break
		}
	}
	return fmt.Errorf("%s says nothing of the %s of networks: it is a database of the type %.60q; name another for %s, or leave the setting out",
		d.path, field, db.Metadata.DatabaseType, field)
}

// knows tells whether a record has a field.
func knows(r record, field string) (bool, error) {
	if field == "asn" {
		n, err := asnOf(r)
		return n != 0, err
	}
	c, err := countryOf(r)
	return c != "", err
}

// caught makes an error of a panic over a file.
func (d *database) caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%s is damaged: reading it failed with %v; fetch it again", d.path, p)
	}
}

// explained says what to do about a file that cannot be read.
func explained(path string, err error) error {
	why := err
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		why = pe.Err
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w; put the database there (geoipupdate fetches those of MaxMind), or correct its name", path, why)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%s: %w; the daemon reads it as its own user: chgrp forepost and chmod g+r, and x on the folders above it", path, why)
	}
	return fmt.Errorf("%s: %w", path, why)
}
