package appliance

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/forepost/forepost/policies"
)

// settleTime is how long a file is left alone after a change: it may be the first
// of several writes.
const settleTime = 200 * time.Millisecond

// followFiles reads lists again whose files change, until ctx ends. Their folders
// are watched, since editors put a new file in the place of the old one.
func (a *Appliance) followFiles(ctx context.Context, lists []*policies.List) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		a.log.Warn("files of lists are read again at a reload only", "error", err)
		return
	}
	defer w.Close()
	last := map[string][]byte{}
	for _, l := range lists {
		last[l.File], _ = os.ReadFile(l.File) // one that cannot be read has no contents yet
		if err := w.Add(filepath.Dir(l.File)); err != nil {
			a.log.Warn("a list is read again at a reload only", "list", l.Name, "file", l.File, "error", err)
		}
		listEntries.WithLabelValues(l.Name).Set(float64(l.Len()))
	}
	settle := time.NewTimer(0) // what changed before the watch began
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-w.Events:
			if !ok {
				return
			}
			settle.Reset(settleTime)
		case err := <-w.Errors:
			a.log.Warn("watching the files of lists", "error", err)
			settle.Reset(settleTime)
		case <-settle.C:
			for _, l := range lists {
				a.readFile(l, last)
			}
		}
	}
}

// readFile takes the contents of a file that has changed.
func (a *Appliance) readFile(l *policies.List, last map[string][]byte) {
	key := l.Name + "\x00" + l.File
	text, err := os.ReadFile(l.File)
	switch before, seen := last[key]; {
	case err != nil:
		if seen || last[l.File] != nil {
			a.log.Error("the file of a list cannot be read: the list stays as it was", "list", l.Name, "error", err, "entries", l.Len())
		}
		return
	case seen && bytes.Equal(before, text), !seen && bytes.Equal(last[l.File], text):
		last[key] = text
		return
	}
	last[key] = text
	if err := l.Read(text); err != nil {
		a.log.Error("the file of a list has changed and has a mistake: the list stays as it was", "list", l.Name, "error", err, "entries", l.Len())
		return
	}
	listEntries.WithLabelValues(l.Name).Set(float64(l.Len()))
	a.log.Info("a list has changed", "list", l.Name, "file", l.File, "entries", l.Len())
}

// recallLists fills the lists of directories with what was last read.
func (a *Appliance) recallLists(l *live) {
	l.read = map[string]time.Time{}
	for i := range l.settings.Lists {
		if one := &l.settings.Lists[i]; one.Source != "" {
			l.read[one.Name] = a.recall(l.settings, one)
		}
	}
}

// followLists keeps the lists of the configuration in force up to date, in place
// of those of the one before.
func (a *Appliance) followLists(l *live) {
	a.stopLists()
	ctx, stop := context.WithCancel(context.Background())
	a.listsStop = stop
	var files []*policies.List
	for i := range l.settings.Lists {
		one := &l.settings.Lists[i]
		if one.File != "" {
			files = append(files, one)
			continue
		}
		a.listsGone.Go(func() { a.followSource(ctx, l.settings, one, l.read[one.Name]) })
	}
	if len(files) > 0 {
		a.listsGone.Go(func() { a.followFiles(ctx, files) })
	}
}

func (a *Appliance) stopLists() {
	if a.listsStop != nil {
		a.listsStop()
	}
	a.listsGone.Wait()
}
