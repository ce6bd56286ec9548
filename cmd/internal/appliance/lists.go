package appliance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/ldap"
	"github.com/forepost/forepost/relay/meter"
)

var (
	listAge     = meter.Gauge("forepost_list_age_seconds", "How long ago a list of a directory was last read; it grows while the directory is away.", "list")
	listEntries = meter.Gauge("forepost_list_entries", "Entries of a list that changes by itself.", "list")
)

// lastRead is what a list of a directory was when it was last read, on the disk: good
// while the directory is away, over a restart as well.
type lastRead struct {
	Source  string    `json:"source"`
	Read    time.Time `json:"read"`
	Entries []string  `json:"entries"`
}

func keptPath(s *policies.Settings, l *policies.List) string {
	sum := sha256.Sum256([]byte(l.Name + "\x00" + l.Source))
	return filepath.Join(s.DataDir, "lists", hex.EncodeToString(sum[:12])+".json")
}

// readBefore is what was last read of a list; ok is false where there is nothing.
func readBefore(s *policies.Settings, l *policies.List) (k lastRead, ok bool) {
	text, err := os.ReadFile(keptPath(s, l))
	ok = err == nil && json.Unmarshal(text, &k) == nil && k.Source == l.Source
	return k, ok
}

// stale gives advice about lists that were read from their directories, and not
// for long: twice as long ago as they should be. Of one that was never read here
// nothing is known.
func stale(cfg *policies.Config, now time.Time) (ds policies.Diagnostics) {
	s := cfg.Settings
	for i := range s.Lists {
		l := &s.Lists[i]
		if l.Source == "" {
			continue
		}
		if k, ok := readBefore(s, l); ok && now.Sub(k.Read) > 2*l.Refresh {
			ds = append(ds, cfg.Stale(l, now.Sub(k.Read)))
		}
	}
	return ds
}

// recall fills a list with what was last read, and tells when that was.
func (a *Appliance) recall(s *policies.Settings, l *policies.List) (read time.Time) {
	k, ok := readBefore(s, l)
	if !ok {
		return read // it is read from its source
	}
	if _, err := l.Fill(k.Entries); err != nil {
		a.log.Warn("a list that was kept is not used", "list", l.Name, "error", err)
		return read
	}
	return k.Read
}

// remember writes what was read, whole or not at all.
func (a *Appliance) remember(s *policies.Settings, l *policies.List, k lastRead) error {
	path := keptPath(s, l)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	text, err := json.Marshal(k)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// Between two looks at a directory that is away, and at the age of a list.
const (
	askAgain = 30 * time.Second
	ageStep  = 5 * time.Second
)

// followSource reads a list of a directory until ctx ends, beginning at once
// unless what is there is young.
func (a *Appliance) followSource(ctx context.Context, s *policies.Settings, l *policies.List, read time.Time) {
	src, err := ldap.ParseSource(l.Source)
	if err != nil { // the configuration was checked
		a.log.Error("a list has no source", "list", l.Name, "error", err)
		return
	}
	next := a.o.Now()
	if !read.IsZero() && a.o.Now().Sub(read) < l.Refresh {
		next = read.Add(l.Refresh)
	}
	for {
		now := a.o.Now()
		if !now.Before(next) {
			next = now.Add(l.Refresh)
			if err := a.readSource(ctx, s, l, src); err != nil {
				a.log.Error("a list could not be read from its directory: the last one holds", "list", l.Name, "source", l.Source, "entries", l.Len(), "read", read, "error", err)
				next = now.Add(min(l.Refresh, askAgain))
			} else {
				read = now
			}
		}
		listEntries.WithLabelValues(l.Name).Set(float64(l.Len()))
		if !read.IsZero() {
			listAge.WithLabelValues(l.Name).Set(a.o.Now().Sub(read).Seconds())
		}
		t := time.NewTimer(min(ageStep, max(next.Sub(a.o.Now()), time.Millisecond)))
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
	}
}

// readSource reads a list once, and keeps it.
func (a *Appliance) readSource(ctx context.Context, s *policies.Settings, l *policies.List, src ldap.Source) error {
	d := a.live().directories[src.Server]
	if d == nil {
		return ldap.ErrAway
	}
	entries, err := d.Entries(ctx, src)
	if err != nil {
		return err
	}
	odd, err := l.Fill(entries)
	if err != nil {
		return err
	}
	if odd > 0 {
		a.log.Warn("entries of a directory are left out of a list, since they have not its type", "list", l.Name, "left_out", odd)
	}
	if err := a.remember(s, l, lastRead{l.Source, a.o.Now(), entries}); err != nil {
		a.log.Warn("a list could not be kept for the time when its directory is away", "list", l.Name, "error", err)
	}
	return nil
}
