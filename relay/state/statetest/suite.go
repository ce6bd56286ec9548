// Package statetest is the contract of state.Store as a test, which every
// keeper passes.
package statetest

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/state"
)

// Clock is a clock that moves when it is told to.
type Clock struct{ nanos atomic.Int64 }

// NewClock begins at a full second near the real time, since a Redis ends keys
// by its own clock.
func NewClock() *Clock {
	c := &Clock{}
	c.nanos.Store(time.Now().Truncate(time.Second).UnixNano())
	return c
}

// Now is the time.
func (c *Clock) Now() time.Time { return time.Unix(0, c.nanos.Load()) }

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) { c.nanos.Add(int64(d)) }

// Run runs the suite; open makes an empty store for one test.
func Run(t *testing.T, open func(t *testing.T, now func() time.Time) state.Store) {
	for name, test := range map[string]func(*testing.T, *fixture){
		"take":           takes,
		"burst":          bursts,
		"all or none":    allOrNone,
		"nothing at all": nothingAtAll,
		"return":         returns,
		"see":            sees,
		"values":         values,
		"delete":         deletes,
		"list":           lists,
		"strange keys":   strangeKeys,
		"many at once":   manyAtOnce,
	} {
		t.Run(name, func(t *testing.T) {
			f := &fixture{T: t, Clock: NewClock()}
			f.Store = open(t, f.Now)
			t.Cleanup(func() { f.Store.Close() })
			test(t, f)
		})
	}
}

type fixture struct {
	*testing.T
	*Clock
	Store state.Store
}

// take expects an answer, with Wait to the millisecond.
func (f *fixture) take(want state.Taken, n int64, windows ...state.Window) {
	f.Helper()
	got, err := f.Store.Take(context.Background(), n, windows...)
	if err != nil {
		f.Fatal(err)
	}
	got.Wait = got.Wait.Round(time.Millisecond)
	if got != want {
		f.Fatalf("took %+v, want %+v", got, want)
	}
}

func ok(count int64) state.Taken { return state.Taken{OK: true, Over: -1, Count: count} }

func over(i int, count int64, wait time.Duration) state.Taken {
	return state.Taken{Over: i, Count: count, Wait: wait}
}

func takes(_ *testing.T, f *fixture) {
	w := state.Window{Key: "k", Max: 3, Per: time.Minute}
	f.take(ok(1), 1, w)
	f.take(ok(3), 2, w)
	f.take(over(0, 4, 20*time.Second), 1, w)
	f.take(over(0, 4, 20*time.Second), 1, w) // what was refused is not counted
	f.Advance(20 * time.Second)
	f.take(ok(3), 1, w)
	f.take(over(0, 5, 40*time.Second), 2, w)
	f.Advance(time.Hour)
	f.take(ok(1), 1, w)
}

func bursts(_ *testing.T, f *fixture) {
	w := state.Window{Key: "k", Max: 60, Per: time.Minute, Burst: 2}
	f.take(ok(2), 2, w)
	f.take(over(0, 3, time.Second), 1, w)
	f.Advance(time.Second)
	f.take(ok(2), 1, w)
}

func allOrNone(_ *testing.T, f *fixture) {
	wide := state.Window{Key: "wide", Max: 10, Per: time.Hour}
	tight := state.Window{Key: "tight", Max: 1, Per: time.Hour}
	f.take(ok(1), 1, wide, tight) // the fullest is tight: 1 of 1
	f.take(over(1, 2, time.Hour), 1, wide, tight)
	f.take(ok(2), 1, wide) // the refusal charged nothing
	f.take(over(0, 2, time.Hour), 1, tight, wide)
}

func nothingAtAll(_ *testing.T, f *fixture) {
	f.take(ok(0), 1)
	got, err := f.Store.Take(context.Background(), 1, state.Window{Key: "shut", Max: 0, Per: time.Minute})
	if err != nil || got.OK || got.Over != 0 {
		f.Fatalf("a window of none let one through: %+v, %v", got, err)
	}
}

func returns(_ *testing.T, f *fixture) {
	w := state.Window{Key: "k", Max: 2, Per: time.Minute}
	f.take(ok(2), 2, w)
	f.must(f.Store.Return(context.Background(), 1, w))
	f.take(ok(2), 1, w)
	f.must(f.Store.Return(context.Background(), 100, w)) // never below nothing in use
	f.take(ok(2), 2, w)
	f.take(over(0, 3, 30*time.Second), 1, w)
	f.must(f.Store.Return(context.Background(), 1, state.Window{Key: "unknown", Max: 2, Per: time.Minute}))
}

func (f *fixture) must(err error) {
	f.Helper()
	if err != nil {
		f.Fatal(err)
	}
}

func (f *fixture) see(key string, keep time.Duration, first, last time.Time, count int64) {
	f.Helper()
	got, err := f.Store.See(context.Background(), key, keep)
	f.must(err)
	if !got.First.Equal(first) || !got.Last.Equal(last) || got.Count != count || got.Last.IsZero() != last.IsZero() {
		f.Fatalf("saw %+v, want first %v, last %v, count %d", got, first, last, count)
	}
}

func sees(_ *testing.T, f *fixture) {
	start := f.Now()
	f.see("k", time.Hour, start, time.Time{}, 1)
	f.Advance(40 * time.Minute)
	second := f.Now()
	f.see("k", time.Hour, start, start, 2)
	f.Advance(50 * time.Minute) // beyond an hour from the first, not from the second
	third := f.Now()
	f.see("k", time.Hour, start, second, 3)
	f.see("other", time.Hour, third, time.Time{}, 1)
	f.Advance(time.Hour)
	f.see("k", time.Hour, f.Now(), time.Time{}, 1)
}

func (f *fixture) get(key, want string) {
	f.Helper()
	got, err := f.Store.Get(context.Background(), key)
	f.must(err)
	if got != want {
		f.Fatalf("Get(%q) = %q, want %q", key, got, want)
	}
}

func values(_ *testing.T, f *fixture) {
	ctx := context.Background()
	f.get("k", "")
	f.must(f.Store.Put(ctx, "k", "two words\r\nand a line", time.Hour))
	f.get("k", "two words\r\nand a line")
	f.Advance(59 * time.Minute)
	f.must(f.Store.Put(ctx, "k", "", time.Hour))
	f.get("k", "")
	f.must(f.Store.Put(ctx, "k", "new", time.Hour))
	f.Advance(59 * time.Minute)
	f.get("k", "new")
	f.Advance(time.Minute)
	f.get("k", "")
}

func deletes(_ *testing.T, f *fixture) {
	ctx := context.Background()
	f.see("k", time.Hour, f.Now(), time.Time{}, 1)
	f.must(f.Store.Put(ctx, "k", "v", time.Hour))
	f.take(ok(1), 1, state.Window{Key: "k", Max: 2, Per: time.Hour})
	f.must(f.Store.Delete(ctx, "k"))
	f.get("k", "")
	f.see("k", time.Hour, f.Now(), time.Time{}, 1)
	f.take(ok(2), 1, state.Window{Key: "k", Max: 2, Per: time.Hour}) // a window of the same name is another thing
	f.must(f.Store.Delete(ctx, "unknown"))
}

// strangeKeys is the line Lookup injection of threats (Exim CVE-2025-26794): addresses come
// from anybody who can say MAIL FROM, and a key is a key, whatever stands in it.
func strangeKeys(_ *testing.T, f *fixture) {
	ctx := context.Background()
	long := strings.Repeat("x", 100000)
	keys := []string{
		"", " ", `"a b"@example.com`, "a\r\nDEL k\r\n", "{a}b", "{b}a", "a}b{", "a*", "a?", "[a]", "k", "K", "k ", "k\x00",
		"'); redis.call('FLUSHALL') --", "\\", "m\u00fcller@example.com", "\xff\xfe", "%s%d", "w:k", long, long + "y",
	}
	for i, k := range keys {
		f.must(f.Store.Put(ctx, k, strings.Repeat("v", i+1), time.Hour))
		f.take(ok(int64(i+1)), int64(i+1), state.Window{Key: k, Max: 1000, Per: time.Hour})
	}
	for i, k := range keys {
		f.get(k, strings.Repeat("v", i+1))
		f.take(ok(int64(i+2)), 1, state.Window{Key: k, Max: 1000, Per: time.Hour})
		f.see(k, time.Hour, f.Now(), time.Time{}, 1)
	}
}

func manyAtOnce(_ *testing.T, f *fixture) {
	a := state.Window{Key: "a", Max: 20, Per: time.Hour}
	b := state.Window{Key: "b", Max: 1000, Per: time.Hour}
	var wg sync.WaitGroup
	var through atomic.Int64
	for i := range 32 {
		windows := []state.Window{a, b}
		if i%2 == 0 {
			windows = []state.Window{b, a} // in either order: no deadlock
		}
		wg.Go(func() {
			if got, err := f.Store.Take(context.Background(), 1, windows...); err != nil {
				f.Error(err)
			} else if got.OK {
				through.Add(1)
			}
		})
	}
	wg.Wait()
	if through.Load() != 20 {
		f.Fatalf("%d of 32 got through a window of 20", through.Load())
	}
	f.take(ok(21), 1, b)
}

// lists: what Put keeps and has not ended, under exactly that prefix.
func lists(t *testing.T, f *fixture) {
	l, ok := f.Store.(state.Lister)
	if !ok {
		t.Fatal("it cannot list")
	}
	f.must(f.Store.Put(t.Context(), "ban/a", "1", time.Hour))
	f.must(f.Store.Put(t.Context(), "ban/b", "2", time.Minute))
	f.must(f.Store.Put(t.Context(), "ban*", "3", time.Hour))
	f.must(f.Store.Put(t.Context(), "bat", "4", time.Hour))
	f.Advance(2 * time.Minute)
	for prefix, want := range map[string]int{"ban/": 1, "ban*": 1, "ba": 3, "x": 0, "[b]an": 0, "ba?": 0} {
		got, err := l.List(t.Context(), prefix)
		f.must(err)
		if len(got) != want {
			t.Errorf("under %q: %v, want %d", prefix, got, want)
		}
	}
}
