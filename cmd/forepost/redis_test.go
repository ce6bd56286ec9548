package main

import (
	"fmt"
	"net"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

const redisConfig = `
hostname = "%s"
domain "local.test" {
  route      = route.sink
  recipients = any
}
route "sink" {
  to = ["%s"]
}
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.limited
}
dns {
  zone = "%s"
}
redis "shared" {
  address = "%s"
}
state {
  backend = redis.shared
}
policy "limited" {
  rcpt {
    limit "per-sender" {
      key  = mail.from
      rate = "3/1h"
    }
  }
}
`

// startRedis runs a real redis-server on a free port.
func startRedis(t *testing.T) (addr string, stop func()) {
	t.Helper()
	need(t, "redis-server")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = ln.Addr().String()
	ln.Close()
	_, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command("redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cmd.Process.Signal(syscall.SIGTERM)
			cmd.Wait()
		}
	}
	t.Cleanup(stop)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return addr, stop
		}
		if time.Now().After(end) {
			t.Fatal("redis-server does not answer")
		}
	}
}

// Two gateways that share a Redis count together; when it is away, mail flows
// and each counts for itself.
func TestLimitsAreSharedOverRedis(t *testing.T) {
	addr, stop := startRedis(t)
	out := newSink(t)
	var nodes []*gateway
	for _, name := range []string{"gw1.test", "gw2.test"} {
		zone := writeFile(t, "zone.json", "{}")
		nodes = append(nodes, serveGateway(t, fmt.Sprintf(redisConfig, name, out.addr, zone, addr)))
	}
	send := func(n int) error { return sendOne(nodes[n%2].address("smtp", "edge"), "bob@local.test", "shared") }
	for n := range 3 {
		if err := send(n); err != nil {
			t.Fatalf("message %d: %v", n+1, err)
		}
	}
	for n := range 2 {
		if err := send(n); err == nil || !strings.HasPrefix(err.Error(), "451") {
			t.Errorf("over the common limit, node %d says %v", n+1, err)
		}
	}
	stop()
	for n := range 2 {
		if err := send(n); err != nil {
			t.Errorf("without Redis node %d says %v: the default is to fail open", n+1, err)
		}
	}
	if log := nodes[0].log.String(); strings.Count(strings.ToLower(log), "redis") == 0 {
		t.Errorf("nothing is said of Redis being away:\n%s", log)
	}
}
