package geo_test

import (
	"bytes"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/filtertest"
	"github.com/forepost/forepost/filters/geo"
	"github.com/forepost/forepost/relay/pipeline"
)

// world is a filter whose database lies in a folder of its own.
type world struct {
	t      *testing.T
	path   string
	clock  *filtertest.Clock
	log    bytes.Buffer
	filter pipeline.Filter
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, path: filepath.Join(t.TempDir(), "asn.mmdb"), clock: filtertest.NewClock()}
	w.put(data(t, "asn"))
	var err error
	w.filter, err = geo.Kind().Build(&geo.Settings{ASN: w.path}, filters.Deps{Now: w.clock.Now, Log: slog.New(slog.NewTextHandler(&w.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func data(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile("testdata/" + name + ".mmdb")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// put puts a file in the place of the database, as geoipupdate does.
func (w *world) put(b []byte) {
	w.t.Helper()
	if err := os.WriteFile(w.path+".new", b, 0o600); err != nil {
		w.t.Fatal(err)
	}
	if err := os.Rename(w.path+".new", w.path); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) asn() (float64, error) {
	f, err := w.filter.Inspect(w.t.Context(), pipeline.NewTransaction(&pipeline.Session{Client: netip.MustParseAddr("203.0.113.9")}))
	n, _ := f.Facts["asn"].(float64)
	return n, err
}

func (w *world) expect(want float64) {
	w.t.Helper()
	if got, err := w.asn(); got != want || err != nil {
		w.t.Errorf("AS%v (%v), want AS%v; the log:\n%s", got, err, want, w.log.String())
	}
}

// TestReplaced: a newer file is taken up without a reload, within seconds, and
// not looked for at each session.
func TestReplaced(t *testing.T) {
	w := newWorld(t)
	w.expect(64496)
	w.put(data(t, "asn-newer"))
	w.expect(64496)
	w.clock.Pass(10 * time.Second)
	w.expect(64511)
	if !strings.Contains(w.log.String(), "has changed") {
		t.Errorf("not told:\n%s", w.log.String())
	}
}

// TestReplacedByWorse: what was read stays in force where the newer file is gone,
// cut off or of another sort, which is told once; and the next good one is taken.
func TestReplacedByWorse(t *testing.T) {
	good := data(t, "asn-newer")
	for name, bad := range map[string][]byte{"cut off": good[:len(good)/2], "empty": nil, "another sort": data(t, "country")} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.put(bad)
			for range 3 {
				w.clock.Pass(time.Minute)
				w.expect(64496)
			}
			if n := strings.Count(w.log.String(), "cannot be used"); n != 1 {
				t.Errorf("told %d times:\n%s", n, w.log.String())
			}
			w.put(good)
			w.clock.Pass(time.Minute)
			w.expect(64511)
		})
	}
	t.Run("gone", func(t *testing.T) {
		w := newWorld(t)
		if err := os.Remove(w.path); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			w.clock.Pass(time.Minute)
			w.expect(64496)
		}
		if n := strings.Count(w.log.String(), "is gone"); n != 1 {
			t.Errorf("told %d times:\n%s", n, w.log.String())
		}
	})
}

// TestReplacedUnderLoad: sessions at once see the old file or the new one, and
// the new one in the end.
func TestReplacedUnderLoad(t *testing.T) {
	w := newWorld(t)
	w.put(data(t, "asn-newer"))
	w.clock.Pass(time.Minute)
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 200 {
				if n, err := w.asn(); err != nil || n != 64496 && n != 64511 {
					t.Errorf("AS%v, %v", n, err)
				}
			}
		})
	}
	all.Wait()
	w.expect(64511)
}

// BenchmarkInspect is what a session pays.
func BenchmarkInspect(b *testing.B) {
	f, err := geo.Kind().Build(&geo.Settings{ASN: "testdata/asn.mmdb", Country: "testdata/country.mmdb"}, filters.Deps{Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	tx := pipeline.NewTransaction(&pipeline.Session{Client: netip.MustParseAddr("203.0.113.9")})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := f.Inspect(b.Context(), tx); err != nil {
			b.Fatal(err)
		}
	}
}

// TestDamage: whatever octet of a file is wrong, it is told when it is named, or
// by an error when it is asked, or it does no harm; it never ends in a panic.
func TestDamage(t *testing.T) {
	whole := data(t, "asn")
	path := filepath.Join(t.TempDir(), "asn.mmdb")
	built, failed := 0, 0
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= []byte{0xff, 0x80, 0x21}[i%3]
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := geo.Kind().Build(&geo.Settings{ASN: path}, filters.Deps{Now: filtertest.NewClock().Now})
		if err != nil {
			if !strings.Contains(err.Error(), path) {
				t.Fatalf("octet %d: %v does not name the file", i, err)
			}
			continue
		}
		built++
		for _, ip := range []string{"203.0.113.9", "198.51.100.1", "2001:db8::1", "127.0.0.1"} {
			_, err := f.Inspect(t.Context(), pipeline.NewTransaction(&pipeline.Session{Client: netip.MustParseAddr(ip)}))
			if err != nil {
				failed++
				if !strings.Contains(err.Error(), path+" is damaged") {
					t.Fatalf("octet %d: %v does not name the file", i, err)
				}
			}
		}
	}
	if built == 0 || failed == 0 {
		t.Errorf("%d damaged files were taken, %d lookups failed: the test tests nothing", built, failed)
	}
}

// TestNoAddress: a session without an address is in no network.
func TestNoAddress(t *testing.T) {
	w := newWorld(t)
	f, err := w.filter.Inspect(t.Context(), pipeline.NewTransaction(&pipeline.Session{}))
	if err != nil || f.Facts["asn"] != 0.0 || f.Facts["country"] != "" {
		t.Errorf("%v, %v", f.Facts, err)
	}
}
