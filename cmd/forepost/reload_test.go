package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// doors is a configuration with one listener for each address.
func doors(addresses ...string) string {
	text := "hostname = \"gw.test\"\ndomain \"local.test\" {\n  route = route.store\n}\npolicy \"open\" {}\n"
	for i, a := range addresses {
		text += fmt.Sprintf("listener \"n%d\" {\n  address = %q\n  tls = off\n  policy = policy.open\n}\n", i, a)
	}
	return text
}

// A reload whose new address somebody else has leaves the old one open.
func TestReloadOntoATakenAddress(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	g := serveGateway(t, doors("127.0.0.1:0"))
	g.addUser("bob@local.test", "secret")
	addr := g.address("smtp", "n0")
	g.write(doors(taken.Addr().String()))
	for range 2 {
		code, _, errs := forepost("reload", "--data", g.data())
		if code != exitFailed || !strings.Contains(errs, "address already in use") {
			t.Errorf("reload ends with %d: %s", code, errs)
		}
	}
	c := dialSMTP(t, addr)
	c.say(t, "NOOP", "250")
	if err := sendOne(addr, "bob@local.test", "after a reload that failed"); err != nil {
		t.Error(err)
	}
	if strings.Contains(g.log.String(), "a server ended") {
		t.Errorf("the log tells of an end that was none\n%s", g.log)
	}
}

// A listener that goes lets what is under way finish; a client that never ends
// does not keep the gateway from stopping.
func TestReloadTakesAListenerAway(t *testing.T) {
	g := serveGateway(t, doors("127.0.0.1:0", "127.0.0.1:0"))
	g.addUser("bob@local.test", "secret")
	addr := g.address("smtp", "n1")
	ends, hangs := dialSMTP(t, addr), dialSMTP(t, addr)
	for _, c := range []*dialogue{ends, hangs} {
		c.say(t, "EHLO client.test", "250")
		c.say(t, "MAIL FROM:<a@send.test>", "250")
		c.say(t, "RCPT TO:<bob@local.test>", "250")
		c.say(t, "DATA", "354")
	}
	g.write(doors("127.0.0.1:0"))
	if code, _, errs := forepost("reload", "--data", g.data()); code != exitDone {
		t.Fatalf("reload ends with %d: %s", code, errs)
	}
	ends.say(t, "Subject: under way\r\n\r\nbody\r\n.", "250")
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("the listener is still there")
	}
	g.cmd.Process.Signal(syscall.SIGTERM)
	waitFor(t, func() (string, bool) { // two signals at once would be one
		return "it does not stop", strings.Contains(g.log.String(), "msg=stopping")
	})
	start := time.Now()
	g.end(syscall.SIGTERM)
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("the second signal took %v", took)
	}
}

// dialogue is an SMTP client that says what it is told to.
type dialogue struct {
	net.Conn
	r *bufio.Reader
}

func dialSMTP(t *testing.T, addr string) *dialogue {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	d := &dialogue{c, bufio.NewReader(c)}
	d.hear(t, "220")
	return d
}

// say sends a line and expects the code in reply, which it returns.
func (d *dialogue) say(t *testing.T, line, code string) string {
	t.Helper()
	if _, err := fmt.Fprintf(d, "%s\r\n", line); err != nil {
		t.Fatal(err)
	}
	return d.hear(t, code)
}

func (d *dialogue) hear(t *testing.T, code string) string {
	t.Helper()
	for {
		line, err := d.r.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, code) {
			t.Fatalf("got %q, %v; want %s", line, err, code)
		}
		if line[3] == ' ' {
			return line
		}
	}
}
