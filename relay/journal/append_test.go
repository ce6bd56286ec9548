package journal_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/journal/journaltest"
)

// slowDisk takes its time for each sync.
type slowDisk struct {
	journal.Disk
	takes time.Duration
}

func (d slowDisk) Create(name string) (journal.File, error) {
	f, err := d.Disk.Create(name)
	return slowFile{f, d.takes}, err
}

type slowFile struct {
	journal.File
	takes time.Duration
}

func (f slowFile) Sync() error {
	time.Sleep(f.takes)
	return f.File.Sync()
}

// TestAppendWaitsLittle: what is appended while nobody commits is on the disk
// soon, and sooner on a quick disk: a delivery that a power cut takes back is
// made twice.
func TestAppendWaitsLittle(t *testing.T) {
	for _, c := range []struct {
		name        string
		sync, least time.Duration
		most        time.Duration
		noSync      bool
	}{
		{name: "a quick disk", sync: 100 * time.Microsecond, least: 5 * time.Millisecond, most: 15 * time.Millisecond},
		{name: "a slow one is given room to breathe", sync: 10 * time.Millisecond, least: 190 * time.Millisecond, most: 220 * time.Millisecond},
		{name: "never longer than MaxDelay", sync: 300 * time.Millisecond, least: time.Second, most: 1310 * time.Millisecond},
		{name: "what may be lost waits MaxDelay", sync: time.Millisecond, least: time.Second, most: 1010 * time.Millisecond, noSync: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				disk := slowDisk{journaltest.New(), c.sync}
				j := begin(t, disk, &list{}, func(o *journal.Options) { o.NoSync = c.noSync })
				defer j.Close()
				must(t, say(j, "first"))
				time.Sleep(5 * time.Second)
				before, began := j.Stats().Syncs, time.Now()
				var b journal.Batch
				b.Add(journal.KindQueue, []byte("appended"))
				j.Append(&b, nil)
				for j.Stats().Syncs == before && time.Since(began) < 10*time.Second {
					time.Sleep(time.Millisecond)
				}
				if d := time.Since(began); d < c.least || d > c.most {
					t.Errorf("synced after %s, not between %s and %s", d, c.least, c.most)
				}
			})
		})
	}
}
