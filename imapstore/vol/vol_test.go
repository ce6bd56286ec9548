package vol_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/storetest"
	"github.com/forepost/forepost/imapstore/vol"
	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// lookup knows everybody at example.com.
func lookup(a mail.Address) (string, error) {
	if strings.HasSuffix(a.Domain, "unknown.example") {
		return "", imapstore.ErrNoAccount
	}
	return a.Key(), nil
}

// opened is a store and the journal under it.
type opened struct {
	t   testing.TB
	dir string
	o   journal.Options
	j   *journal.Journal
	s   *vol.Store
}

func open(t testing.TB, dir string, o journal.Options) *opened {
	t.Helper()
	e := &opened{t: t, dir: dir, o: o}
	e.start()
	t.Cleanup(e.stop)
	return e
}

func (e *opened) start() {
	e.t.Helper()
	j, err := journal.Open(e.dir, e.o)
	if err != nil {
		e.t.Fatal(err)
	}
	e.j, e.s = j, vol.New(j, vol.Options{Lookup: lookup, Now: func() time.Time { return time.Unix(1_800_000_000, 0) }})
	if err := j.Recover(context.Background()); err != nil {
		e.t.Fatal(err)
	}
}

func (e *opened) stop() {
	if err := e.s.Close(); err != nil {
		e.t.Error(err)
	}
	if err := e.j.Close(); err != nil {
		e.t.Error(err)
	}
}

// TestStore runs the contract's suite, with segments so small that every test
// goes over several.
func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Engine {
		e := open(t, t.TempDir(), journal.Options{SegmentSize: 64 << 10})
		return storetest.Engine{
			Store: e.s,
			Reopen: func() imapstore.Store {
				e.stop()
				e.start()
				return e.s
			},
			Compact: func() {
				if _, err := e.j.Compact(context.Background()); err != nil {
					t.Error(err)
				}
			},
		}
	})
}
