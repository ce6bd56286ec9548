package appliance

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/relay/trail"
)

// startAt runs a gateway whose data stand beside its configuration.
func startAt(t *testing.T, file string) *Appliance {
	t.Helper()
	a, err := New(t.Context(), Options{Config: file, Data: filepath.Join(filepath.Dir(file), "data"), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Stop(context.Background()) })
	return a
}

// versioned is a policy whose rules tell its version: it refuses one sender
// domain, and says so at every stage.
func versioned(v string) string {
	return fmt.Sprintf(`
hostname = "gw.test"
domain "local.test" {
  route = route.store
}
account "bob@local.test" {
  password = "secret"
}
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.p
}
policy "p" {
  connect {
    tag "%[1]s" {
      add = ["connect-%[1]s"]
    }
  }
  helo {
    tag "%[1]s" {
      add = ["helo-%[1]s"]
    }
  }
  rcpt {
    tag "%[1]s" {
      add = ["rcpt-%[1]s"]
    }
  }
  data {
    reject "%[1]s" {
      when = mail.domain == "%[1]s.test"
      text = "5.7.1 no"
    }
    tag "%[1]s" {
      add = ["data-%[1]s"]
    }
  }
}
`, v)
}

// TestRollback: back to what was in force before, also after a restart, and no
// further than there is anything.
func TestRollback(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "forepost.hcl")
	write(t, file, versioned("one"))
	a := startAt(t, file)
	if _, err := a.Rollback(t.Context()); !errors.Is(err, errNoEarlier) {
		t.Errorf("there is nothing before: %v", err)
	}
	for _, v := range []string{"two", "two", "three"} {
		write(t, file, versioned(v))
		if r := a.Reload(t.Context(), admin.ReloadOptions{}); !r.OK {
			t.Fatal(r.Error, r.Diagnostics)
		}
	}
	if err := a.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	a = startAt(t, file)
	for _, v := range []string{"two", "one"} {
		ans, err := a.Rollback(t.Context())
		if err != nil || !strings.HasPrefix(ans.Said, "back to configuration ") {
			t.Fatalf("to %s: %v, %q", v, err, ans.Said)
		}
		if got := string(a.Running().Files[file]); got != versioned(v) {
			t.Errorf("in force is not %s", v)
		}
		if c := dialDoor(t, a, "x.test"); c.send("x@"+v+".test", []string{"bob@local.test"}, []byte("Subject: x\r\n\r\n")) != 550 {
			t.Errorf("the policy does not judge as %s", v)
		}
	}
	if _, err := a.Rollback(t.Context()); !errors.Is(err, errNoEarlier) {
		t.Errorf("before the first: %v", err)
	}
	if r := a.Reload(t.Context(), admin.ReloadOptions{}); !r.OK || string(a.Running().Files[file]) != versioned("three") {
		t.Errorf("a reload reads the file: %+v", r)
	}
}

// TestReloadRunsTests: a policy whose test fails does not come into force, unless
// one says so.
func TestReloadRunsTests(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "forepost.hcl")
	write(t, file, versioned("one"))
	if err := os.Mkdir(filepath.Join(dir, "tests"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "tests", "p.hcl"), `
case "mail of one is refused" {
  listener = listener.edge
  client   = { ip = "192.0.2.1" }
  mail     = { from = "x@one.test" }
  rcpt     = ["bob@local.test"]
  message  = { subject = "x" }
  expect {
    verdict = reject
  }
}
`)
	a := startAt(t, file)
	if r := a.Reload(t.Context(), admin.ReloadOptions{}); !r.OK {
		t.Fatal(r.Error, r.Diagnostics, r.Tests)
	}
	write(t, file, versioned("two"))
	r := a.Reload(t.Context(), admin.ReloadOptions{})
	if r.OK || r.Error != "1 of the tests beside the configuration failed" || !strings.Contains(r.Tests, "mail of one is refused") || string(a.Running().Files[file]) != versioned("one") {
		t.Errorf("%+v", r)
	}
	if r := a.Reload(t.Context(), admin.ReloadOptions{NoTest: true}); !r.OK || string(a.Running().Files[file]) != versioned("two") {
		t.Errorf("%+v", r)
	}
}

// TestReloadUnderLoad: with reloads every 100 ms none of the messages that come in
// is lost or deferred, and each is judged by one policy alone, from the
// connection to the end of the data.
func TestReloadUnderLoad(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "forepost.hcl")
	write(t, file, versioned("one"))
	a := startAt(t, file)
	const clients, each = 10, 150
	interval := 20 * time.Millisecond // 10 clients, each 50 a second
	var codes [1000]atomic.Int64
	var slowest atomic.Int64
	var all sync.WaitGroup
	for n := range clients {
		all.Go(func() {
			var c *talk
			tick := time.NewTicker(interval)
			defer tick.Stop()
			for i := range each {
				<-tick.C
				if i%15 == 0 { // 20 refusals end a connection
					if c != nil {
						c.Close()
					}
					c = dialDoor(t, a, "x.test")
				}
				from := []string{"x@one.test", "x@two.test", "x@other.test"}[(n+i)%3]
				begin := time.Now()
				codes[c.send(from, []string{"bob@local.test"}, []byte(fmt.Sprintf("Subject: m%d-%d\r\n\r\nx\r\n", n, i)))].Add(1)
				if took := int64(time.Since(begin)); took > slowest.Load() {
					slowest.Store(took)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	reloads := 0
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for over := false; !over; {
		select {
		case <-done:
			over = true
		case <-tick.C:
			reloads++
			write(t, file, versioned([]string{"one", "two"}[reloads%2]))
			if r := a.Reload(t.Context(), admin.ReloadOptions{}); !r.OK {
				t.Fatal(r.Error, r.Diagnostics)
			}
		}
	}
	taken, refused := codes[250].Load(), codes[550].Load()
	if taken+refused != clients*each || taken == 0 || refused == 0 {
		t.Errorf("%d taken and %d refused of %d", taken, refused, clients*each)
	}
	found, err := a.keep.trail.Search(trail.Query{Limit: 10000})
	if err != nil || len(found) != clients*each {
		t.Fatalf("%d records of %d messages, %v", len(found), clients*each, err)
	}
	hashes := map[string]string{}
	for i := range found {
		oneVersion(t, &found[i], hashes)
	}
	if len(hashes) != 2 {
		t.Errorf("%d policies have judged, want both: %v", len(hashes), hashes)
	}
	t.Logf("%d messages, %d reloads; the slowest took %v", len(found), reloads, time.Duration(slowest.Load()))
}

// oneVersion checks that a message was judged by the policy that its record names.
func oneVersion(t *testing.T, r *trail.Record, hashes map[string]string) {
	t.Helper()
	version := ""
	for _, rule := range r.Rules {
		v := rule.Path[strings.LastIndexByte(rule.Path, '.')+1:]
		if version == "" {
			version = v
		}
		if v != version {
			t.Fatalf("%s was judged by two policies: %+v", r.ID, r.Rules)
		}
	}
	if have := hashes[r.Hash]; have != "" && have != version {
		t.Fatalf("%s has the hash of %s and the rules of %s", r.ID, have, version)
	}
	hashes[r.Hash] = version
	want := "accept"
	if strings.HasSuffix(*r.From, "@"+version+".test") {
		want = "reject"
	}
	if len(r.Outcomes) != 1 || r.Outcomes[0].Action != want {
		t.Errorf("%s from %s was judged by %s with %+v", r.ID, *r.From, version, r.Outcomes)
	}
	if want == "accept" && len(r.Rules) != 5 {
		t.Errorf("%s has the rules %+v", r.ID, r.Rules)
	}
}
