package main

import (
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const crowdConfig = `
hostname = "edge.test"
listener "edge" {
  address         = "127.0.0.1:0"
  tls             = off
  policy          = policy.open
  max_sessions    = 20000
  max_per_client  = 20000
  max_per_network = 20000
}
domain "local.test" {
  route      = route.store
  recipients = any
}
policy "open" {}
`

// A gateway holds many connections that are idle and some that trickle an octet
// at a time; an honest client's message takes no longer than without them, and
// each of them costs little memory. A few in the ordinary run, the real crowd with
// FOREPOST_CROWD=10000,2000.
func TestCrowd(t *testing.T) {
	idle, trickling := 300, 60
	if want := os.Getenv("FOREPOST_CROWD"); want != "" {
		if _, err := fmt.Sscanf(want, "%d,%d", &idle, &trickling); err != nil {
			t.Fatal("FOREPOST_CROWD is two numbers, 10000,2000:", err)
		}
	}
	raiseDescriptors(t, uint64(idle+trickling+500))
	g := serveGateway(t, crowdConfig)
	addr := g.address("smtp", "edge")
	g.addUser("bob@local.test", "secret")
	alone, before := latency(t, addr, 50), g.memory()
	crowd(t, addr, idle)
	withIdle := g.memory()
	slow := crowd(t, addr, trickling)
	stop := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() { trickle(slow, stop) })
	among := latency(t, addr, 50)
	close(stop)
	all.Wait()
	per := float64(withIdle-before) / float64(idle)
	t.Logf("%d idle, %d trickling: the process has %d KiB, %d before; %.1f KiB for each idle one; a message takes %v alone, %v among them (medians; slowest %v and %v)",
		idle, trickling, g.memory(), before, per, alone[25], among[25], alone[49], among[49])
	if idle > 1000 && per > 64 {
		t.Errorf("an idle connection costs %.1f KiB", per)
	}
	if among[25] > 500*time.Millisecond && among[25] > 20*alone[25] {
		t.Errorf("a message takes %v among them, %v alone", among[25], alone[25])
	}
}

func raiseDescriptors(t *testing.T, n uint64) {
	t.Helper()
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		t.Fatal(err)
	}
	if l.Cur >= n {
		return
	}
	old := l
	l.Cur, l.Max = n, max(n, l.Max)
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		t.Skipf("the limit of descriptors cannot be raised to %d: %v", n, err)
	}
	t.Cleanup(func() { syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old) })
}

// memory is what the process has in memory, in KiB.
func (g *gateway) memory() (kib int) {
	g.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.cmd.Process.Pid))
	if err != nil {
		g.t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		g.t.Fatal(err)
	}
	return kib
}

// crowd opens connections that have said EHLO and say nothing more.
func crowd(t *testing.T, addr string, n int) (list []net.Conn) {
	t.Helper()
	for range n {
		talk, err := newRawTalk(addr)
		if err != nil {
			t.Fatal(len(list), err)
		}
		talk.in = nil
		talk.conn.SetDeadline(time.Time{})
		t.Cleanup(func() { talk.conn.Close() })
		list = append(list, talk.conn)
	}
	return list
}

// trickle sends an octet of a command on each, again and again.
func trickle(list []net.Conn, stop chan struct{}) {
	for i := 0; ; i++ {
		for _, c := range list {
			select {
			case <-stop:
				return
			default:
				c.Write([]byte{"NOOP NOOP "[i%10]})
			}
		}
	}
}

// latency sends n messages one after the other and gives their times, the
// shortest first.
func latency(t *testing.T, addr string, n int) (list []time.Duration) {
	t.Helper()
	talk, err := newRawTalk(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer talk.conn.Close()
	for range n {
		began := time.Now()
		if reply, err := talk.send([]byte("Subject: x\r\n\r\nhello\r\n"), false); err != nil || !strings.HasPrefix(reply, "250 ") {
			t.Fatal(reply, err)
		}
		list = append(list, time.Since(began))
	}
	slices.Sort(list)
	return list
}
