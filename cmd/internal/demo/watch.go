package demo

import (
	"context"
	"github.com/forepost/forepost/cmd/internal/admin"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

// watch reloads when the policy is saved, until ctx ends. Editors save in many
// ways (write, or write beside and rename), so the directory is watched.
func (s *stage) watch(ctx context.Context) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.Add(s.dir); err != nil {
		return err
	}
	var saved <-chan time.Time // fires when a burst of events is over
	last := s.policyText()
	for {
		select {
		case <-ctx.Done():
			s.say("")
			return nil
		case e := <-w.Events:
			if filepath.Base(e.Name) == policyFile && !e.Has(fsnotify.Remove) && !e.Has(fsnotify.Chmod) {
				saved = time.After(100 * time.Millisecond)
			}
		case err := <-w.Errors:
			s.say("watching %s: %v", s.dir, err)
		case <-saved:
			saved = nil
			if text := s.policyText(); text != last {
				last = text
				s.reload(ctx)
			}
		}
	}
}

// policyText is the policy as it lies there, "" while it is being replaced.
func (s *stage) policyText() string {
	b, err := os.ReadFile(filepath.Join(s.dir, policyFile))
	if err != nil {
		return ""
	}
	return string(b)
}

func (s *stage) reload(ctx context.Context) {
	r := s.gw.Reload(ctx, admin.ReloadOptions{})
	if r.Diagnostics != "" {
		s.say("%s", r.Diagnostics)
	}
	if r.OK {
		s.say("%s  %s reloaded", time.Now().Format(time.TimeOnly), policyFile)
		return
	}
	s.say("%s  not reloaded, the running policy stays: %s", time.Now().Format(time.TimeOnly), r.Error)
}
