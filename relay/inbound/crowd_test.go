package inbound

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestCrowd holds many idle connections and some that trickle an octet at a
// time, over loopback, and asks meanwhile how long an honest client's message
// takes and what a connection costs in memory (client and server are one process,
// so it is less than what is told). A few of each in the ordinary run; the real
// crowd with FOREPOST_CROWD=10000,2000.
func TestCrowd(t *testing.T) {
	idle, trickling := 300, 60
	if want := os.Getenv("FOREPOST_CROWD"); want != "" {
		if _, err := fmt.Sscanf(want, "%d,%d", &idle, &trickling); err != nil {
			t.Fatal("FOREPOST_CROWD is two numbers, 10000,2000:", err)
		}
	}
	raiseDescriptors(t, uint64(2*(idle+trickling)+500))
	s := newSite(func(c *Config) {
		c.MaxSessions, c.MaxPerClient, c.MaxPerNetwork = idle+trickling+10, idle+trickling+10, idle+trickling+10
		c.Idle, c.DataTime = time.Minute, time.Minute
		c.RelayFrom = []netip.Prefix{netOf("127.0.0.0/8")}
	}).start(t)
	alone := latency(s.dial(t).hello(), 50)
	before := memory()
	held := crowd(t, s.addr, idle)
	perIdle := (memory() - before) / float64(idle)
	slow := crowd(t, s.addr, trickling)
	stop := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() { trickle(slow, stop) })
	among := latency(s.dial(t).hello(), 200)
	close(stop)
	all.Wait()
	t.Logf("%d idle, %d trickling: %.1f KiB a connection; a message takes %v alone, %v among them (median; slowest %v)",
		len(held), len(slow), perIdle, alone[len(alone)/2], among[len(among)/2], among[len(among)-1])
	if perIdle > 64 {
		t.Errorf("an idle connection costs %.1f KiB", perIdle)
	}
	if m := among[len(among)/2]; m > 100*time.Millisecond && m > 20*alone[len(alone)/2] {
		t.Errorf("a message takes %v among them, %v alone", m, alone[len(alone)/2])
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
		t.Skipf("the limit of descriptors cannot be raised to %s: %v", strconv.FormatUint(n, 10), err)
	}
	t.Cleanup(func() { syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old) })
}

// crowd opens connections that have said EHLO and say nothing more.
func crowd(t *testing.T, addr string, n int) []net.Conn {
	t.Helper()
	list := make([]net.Conn, 0, n)
	buf := make([]byte, 1024)
	for range n {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(5 * time.Minute))
		for _, say := range []string{"", "EHLO crowd\r\n"} {
			c.Write([]byte(say))
			if _, err := c.Read(buf); err != nil {
				t.Fatal(len(list), err)
			}
		}
		list = append(list, c)
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
func latency(c *client, n int) []time.Duration {
	var list []time.Duration
	for range n {
		began := time.Now()
		c.say("MAIL FROM:<a@b.test>", "250")
		c.say("RCPT TO:<bob@example.com>", "250")
		c.say("DATA", "354")
		c.say("Subject: x\r\n\r\nhello\r\n.", "250")
		list = append(list, time.Since(began))
	}
	slices.Sort(list)
	return list
}

// memory is what the process has of it for heap and stacks, in KiB.
func memory() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapInuse+m.StackInuse) / 1024
}
