package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestLoopEnds is threats.md "Loops": a route that leads back to this gateway, which no
// table can see, ends after so many hops, with a report and without a copy for ever.
func TestLoopEnds(t *testing.T) {
	g := serveGateway(t, fmt.Sprintf(killConfig, "127.0.0.1:1"))
	addr := g.address("smtp", "edge")
	g.write(fmt.Sprintf(killConfig, addr))
	if code, out, errs := forepost("reload", "--data", g.data()); code != 0 {
		t.Fatalf("reload: %s%s", out, errs)
	}
	if got := g.address("smtp", "edge"); got != addr {
		t.Fatalf("the listener moved from %s to %s", addr, got)
	}
	if err := sendOne(addr, "ann@rcpt.test", "round and round"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() (string, bool) {
		return "no end", strings.Contains(g.log.String(), "5.4.6")
	})
	hops := strings.Count(g.log.String(), "to=ann@rcpt.test action=accept")
	if hops < 2 || hops > 110 {
		t.Errorf("it went round %d times", hops)
	}
}

// TestLoopOfTwoEnds is threats.md "Loops": two gateways that take each other for a
// domain's server stop after so many hops between them, and the sender hears of it once.
func TestLoopOfTwoEnds(t *testing.T) {
	one := serveGateway(t, fmt.Sprintf(killConfig, "127.0.0.1:1"))
	two := serveGateway(t, fmt.Sprintf(killConfig, one.address("smtp", "edge")))
	one.write(fmt.Sprintf(killConfig, two.address("smtp", "edge")))
	if code, out, errs := forepost("reload", "--data", one.data()); code != 0 {
		t.Fatalf("reload: %s%s", out, errs)
	}
	gateways := []*gateway{one, two}
	for _, g := range gateways {
		g.addUser("bob@local.test", "secret")
	}
	if err := sendAs(one.address("smtp", "edge"), "bob@local.test", "ann@rcpt.test", "to and fro"); err != nil {
		t.Fatal(err)
	}
	reports := func() (all []string) {
		for _, g := range gateways {
			all = append(all, fetchAll(t, g, "bob@local.test", "secret", "INBOX")...)
		}
		return all
	}
	waitFor(t, func() (string, bool) { return "no report", len(reports()) > 0 })
	for _, g := range gateways {
		waitFor(t, func() (string, bool) {
			_, out, _ := forepost("queue", "list", "--json", "--data", g.data())
			return "still in the queue: " + out, strings.TrimSpace(out) == ""
		})
		if hops := strings.Count(g.log.String(), "to=ann@rcpt.test action=accept"); hops < 2 || hops > 55 {
			t.Errorf("it came by %d times", hops)
		}
	}
	if all := reports(); len(all) != 1 || !strings.Contains(all[0], "\r\nStatus: 5.4.6\r\n") {
		t.Errorf("the sender got %d reports:\n%s", len(all), strings.Join(all, "\n"))
	}
}

// TestNoMoreFiles is threats.md "fd exhaustion": with no file left for another
// connection the gateway waits instead of spinning, and takes mail again afterwards.
func TestNoMoreFiles(t *testing.T) {
	out := newSink(t)
	g := serveGateway(t, fmt.Sprintf(crashConfig, out.addr))
	addr, pid := g.address("smtp", "edge"), g.cmd.Process.Pid
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		t.Skip("no /proc")
	}
	var was unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &was); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(len(open) + 5), Max: was.Max}, nil); err != nil {
		t.Fatal(err)
	}
	var conns []net.Conn
	for range 30 {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		conns = append(conns, c)
	}
	began, cpu := time.Now(), cpuOf(t, pid)
	waitFor(t, func() (string, bool) { return "", time.Since(began) > 2*time.Second })
	if used, took := cpuOf(t, pid)-cpu, time.Since(began); used > took/4 {
		t.Errorf("with no file left it used %s of the processor in %s", used, took)
	}
	for _, c := range conns {
		c.Close()
	}
	waitFor(t, func() (string, bool) {
		err := sendOne(addr, "ann@rcpt.test", "files again")
		return fmt.Sprint("with files again: ", err), err == nil
	})
}

// cpuOf is how much of the processor a process has used.
func cpuOf(t *testing.T, pid int) time.Duration {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	var user, system int64
	f := strings.Fields(rest)
	fmt.Sscan(f[11], &user)
	fmt.Sscan(f[12], &system)
	return time.Duration(user+system) * (time.Second / 100)
}

// TestLogInjection is threats.md "Log injection": what a client and the next server say
// stands in the log as data. Every line is an object of JSON, whatever is said.
func TestLogInjection(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	const nasty = "%s%n \x1b[31m\" } {\"level\":\"ERROR\",\"msg\":\"forged\" \u2028 \xff"
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				fmt.Fprintf(c, "220 hi\r\n")
				for s := bufio.NewScanner(c); s.Scan(); {
					if strings.HasPrefix(s.Text(), "EHLO") || strings.HasPrefix(s.Text(), "MAIL") {
						fmt.Fprintf(c, "250 %s\r\n", nasty)
						continue
					}
					fmt.Fprintf(c, "450-4.2.0 %s\r\n450 4.2.0 more %s\rlevel=ERROR\r\n", nasty, nasty)
				}
			}()
		}
	}()
	g := serveGateway(t, fmt.Sprintf(crashConfig, ln.Addr())+"log {\n  format = json\n}\n")
	addr := g.address("smtp", "edge")
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(c, "EHLO %s\r\nMAIL FROM:<\"%%s%%n}\"@%s>\r\nQUIT\r\n", nasty, "a.test\x1b")
	for s := bufio.NewScanner(c); s.Scan(); {
	}
	if err := sendAs(addr, "\"%s {\"@send.test", "ann@rcpt.test", "a "+nasty[:40]); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() (string, bool) {
		return "no deferral in the log\n" + g.log.String(), strings.Contains(g.log.String(), `"deferred"`)
	})
	g.end(syscall.SIGTERM)
	for _, line := range strings.Split(strings.TrimSpace(g.log.String()), "\n") {
		var v map[string]any
		if err := json.Unmarshal([]byte(line), &v); err != nil || v["msg"] == "forged" || strings.ContainsAny(line, "\x1b\r") {
			t.Errorf("a line of the log is %q: %v", line, err)
		}
	}
}
