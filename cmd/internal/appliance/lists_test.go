package appliance

import (
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/policies"
)

// TestStaleListOfADirectory: check says of a list that its directory was not read
// for long, where the gateway has read it before; of one that is young, or that
// nobody read here, it says nothing.
func TestStaleListOfADirectory(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "forepost.hcl")
	write(t, file, `hostname = "mx.a.test"
list "staff" {
  type    = address
  source  = "ldaps://dc1.test/dc=example,dc=test?mail"
  refresh = "15m"
}
domain "a.test" {
  route      = route.mx
  recipients = list.staff
}
`)
	now := time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC)
	o := Options{Config: file, Data: filepath.Join(dir, "data"), Now: func() time.Time { return now }}
	said := func() (out []policies.Diagnostic) {
		t.Helper()
		ds, err := Check(o)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range ds {
			if d.Code == "FP0309" {
				out = append(out, d)
			}
		}
		return out
	}
	if ds := said(); len(ds) != 0 {
		t.Errorf("of a list that nobody read: %v", ds)
	}
	_, cfg, _, err := load(o, false)
	if err != nil {
		t.Fatal(err)
	}
	a, l := &Appliance{o: o, log: slog.New(slog.DiscardHandler)}, &cfg.Settings.Lists[0]
	if err := a.remember(cfg.Settings, l, lastRead{Source: l.Source, Read: now, Entries: []string{"bob@a.test"}}); err != nil {
		t.Fatal(err)
	}
	if now = now.Add(29 * time.Minute); len(said()) != 0 {
		t.Error("of a list that is young something is said")
	}
	now = now.Add(2 * time.Hour)
	if ds := said(); len(ds) != 1 || ds[0].Start.Line != 2 || !strings.Contains(ds[0].Text, "2h29m0s ago") || ds[0].In != `list "staff"` {
		t.Errorf("%+v", ds)
	}
}
