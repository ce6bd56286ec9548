package state_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/state"
	"github.com/forepost/forepost/relay/state/statetest"
)

// redisServer is a real server of our own, on a socket in a directory that goes
// with the test.
func redisServer(t testing.TB) (socket string, stop func()) {
	t.Helper()
	program, err := exec.LookPath("redis-server")
	if err != nil {
		t.Skip("redis-server is not installed: the contract is not proved against it")
	}
	dir, err := os.MkdirTemp("", "redis") // t.TempDir may be too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	socket = filepath.Join(dir, "socket")
	cmd := exec.Command(program, "--port", "0", "--unixsocket", socket, "--dir", dir, "--save", "", "--appendonly", "no", "--requirepass", "secret")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	stop = func() {
		once.Do(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			os.RemoveAll(dir)
		})
	}
	t.Cleanup(stop)
	for deadline := time.Now().Add(10 * time.Second); ; {
		c, err := net.Dial("unix", socket)
		if err == nil {
			c.Close()
			return socket, stop
		}
		if time.Now().After(deadline) {
			t.Fatalf("redis-server does not listen: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func TestRedis(t *testing.T) {
	socket, _ := redisServer(t)
	var n atomic.Int64
	open := func(t *testing.T, now func() time.Time) state.Store {
		r, err := state.NewRedis(state.RedisOptions{
			Address: socket, Password: "secret", Prefix: fmt.Sprintf("test{%d:", n.Add(1)),
		}, now, nil)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	statetest.Run(t, open)
	t.Run("its own clock", func(t *testing.T) { ownClock(t, open(t, nil)) })
}

// ownClock: without a clock given, the server's counts.
func ownClock(t *testing.T, s state.Store) {
	defer s.Close()
	ctx := context.Background()
	seen, err := s.See(ctx, "k", time.Hour)
	if err != nil || time.Since(seen.First).Abs() > time.Minute {
		t.Fatalf("See = %+v, %v", seen, err)
	}
	w := state.Window{Key: "k", Max: 1, Per: time.Hour}
	if got, err := s.Take(ctx, 1, w); err != nil || !got.OK {
		t.Fatalf("Take = %+v, %v", got, err)
	}
	got, err := s.Take(ctx, 1, w)
	if err != nil || got.OK || got.Wait < 59*time.Minute || got.Wait > time.Hour {
		t.Fatalf("second Take = %+v, %v", got, err)
	}
	if err := s.Put(ctx, "k", "v", time.Hour); err != nil {
		t.Fatal(err)
	}
	if v, err := s.Get(ctx, "k"); err != nil || v != "v" {
		t.Fatalf("Get = %q, %v", v, err)
	}
}

// TestRedisAway: nobody listens, or the password is wrong: ErrAway, soon.
func TestRedisAway(t *testing.T) {
	socket, stop := redisServer(t)
	ctx := context.Background()
	wrong, err := state.NewRedis(state.RedisOptions{Address: socket, Password: "wrong"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer wrong.Close()
	if _, err := wrong.Get(ctx, "k"); !errors.Is(err, state.ErrAway) || !strings.Contains(err.Error(), "WRONGPASS") {
		t.Errorf("wrong password: %v", err)
	}
	r, err := state.NewRedis(state.RedisOptions{Address: socket, Password: "secret"}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := r.Get(ctx, "k"); err != nil {
		t.Fatal(err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := r.Get(cancelled, "k"); !errors.Is(err, context.Canceled) || errors.Is(err, state.ErrAway) {
		t.Errorf("a cancelled caller: %v", err)
	}
	stop()
	begin := time.Now()
	if _, err := r.Take(ctx, 1, state.Window{Key: "k", Max: 1, Per: time.Hour}); !errors.Is(err, state.ErrAway) {
		t.Errorf("a stopped server: %v", err)
	}
	if d := time.Since(begin); d > 3*time.Second {
		t.Errorf("it took %v to notice", d)
	}
}

// switchable is a primary that can be away.
type switchable struct {
	state.Store
	off atomic.Bool
}

func (s *switchable) Take(ctx context.Context, n int64, w ...state.Window) (state.Taken, error) {
	if s.off.Load() {
		return state.Taken{}, fmt.Errorf("%w: pulled out", state.ErrAway)
	}
	return s.Store.Take(ctx, n, w...)
}

func (s *switchable) Get(ctx context.Context, key string) (string, error) {
	if s.off.Load() {
		return "", state.ErrAway
	}
	return s.Store.Get(ctx, key)
}

type logged struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) count(s string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), s)
}

func TestFallbackContract(t *testing.T) {
	statetest.Run(t, func(t *testing.T, now func() time.Time) state.Store {
		local := start(t, now)
		t.Cleanup(func() { local.Close() })
		return state.NewFallback(start(t, now), local, true, nil)
	})
}

// TestFallback: while the primary is away, the local store counts; both turns
// are logged once; afterwards the primary counts on where it was.
func TestFallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out logged
		primary := &switchable{Store: start(t, time.Now)}
		local := start(t, time.Now)
		defer local.Close()
		f := state.NewFallback(primary, local, true, slog.New(slog.NewTextHandler(&out, nil)))
		defer f.Close()
		w := state.Window{Key: "k", Max: 100, Per: 1000 * time.Hour}
		expectCounts(t, f, w, 1, 2)
		primary.off.Store(true)
		expectCounts(t, f, w, 1, 2, 3)
		time.Sleep(5 * time.Second)
		expectCounts(t, f, w, 4)
		primary.off.Store(false)
		time.Sleep(2 * time.Second)
		expectCounts(t, f, w, 3)
		if away, back := out.count("is away"), out.count("is back"); away != 1 || back != 1 {
			t.Errorf("logged %d times away, %d times back", away, back)
		}
	})
}

func expectCounts(t *testing.T, s state.Store, w state.Window, counts ...int64) {
	t.Helper()
	for _, want := range counts {
		got, err := s.Take(context.Background(), 1, w)
		if err != nil || got.Count != want {
			t.Fatalf("Take = %+v, %v; want a count of %d", got, err, want)
		}
	}
}

// TestFallbackClosed: the operator wants no decision rather than a local one.
func TestFallbackClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		primary := &switchable{Store: start(t, time.Now)}
		local := start(t, time.Now)
		defer local.Close()
		f := state.NewFallback(primary, local, false, nil)
		defer f.Close()
		primary.off.Store(true)
		for range 2 {
			if _, err := f.Take(context.Background(), 1, state.Window{Key: "k", Max: 1, Per: time.Hour}); !errors.Is(err, state.ErrAway) {
				t.Errorf("Take: %v", err)
			}
		}
	})
}
