package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// Bad input on every port gets the protocol's error or the end of the
// connection, and the process stays up and small.
func TestBadInputOnEveryPort(t *testing.T) {
	g := serveClients(t)
	doors := []struct{ kind, name, login, refused string }{
		{"smtp", "edge", "", "5"},
		{"submission", "submission", "EHLO x\r\nAUTH PLAIN AGJvYgB3cm9uZw==\r\n", "535"},
		{"imap", "mail", "a LOGIN bob@local.test wrong\r\n", "a NO"},
		{"pop3", "mail", "USER bob@local.test\r\nPASS wrong\r\n", "-ERR"},
	}
	garbage := make([]byte, 200_000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range garbage {
		garbage[i] = byte(r.Uint32())
	}
	before := memory(t, g)
	for _, d := range doors {
		addr := g.address(d.kind, d.name)
		t.Run(d.kind, func(t *testing.T) {
			for range 20 { // early disconnects
				if c, err := net.Dial("tcp", addr); err != nil {
					t.Fatal(err)
				} else {
					io.WriteString(c, "EHLO")
					c.Close()
				}
			}
			talk(t, addr, garbage)
			talk(t, addr, bytes.Repeat([]byte{0}, 10_000))
			talk(t, addr, bytes.Repeat([]byte("a"), 30<<20)) // one line without an end
			talk(t, addr, []byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
			talk(t, addr, []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")) // TLS where there is none
			if got := talk(t, addr, []byte("NOSUCHCOMMAND x\r\n")); got == "" {
				t.Error("an unknown command got no answer")
			}
			if d.login != "" {
				if got := talk(t, addr, []byte(d.login)); !strings.Contains(got, "\n"+d.refused) {
					t.Errorf("wrong credentials got %q", got)
				}
			}
		})
	}
	for _, name := range []string{"tls"} { // garbage instead of a handshake
		talk(t, g.address("imap", name), garbage)
		talk(t, g.address("pop3", name), garbage)
	}
	if err := sendOne(g.address("smtp", "edge"), "bob@local.test", "after it all"); err != nil {
		t.Errorf("mail is not taken any more: %v", err)
	}
	waitFor(t, func() (string, bool) {
		return "mail is not delivered any more", mailbox(t, g, "bob@local.test", "secret")["after it all"] == 1
	})
	if after := memory(t, g); after > before+100<<20 {
		t.Errorf("the process grew from %d to %d MiB", before>>20, after>>20)
	}
}

// talk sends what it is given, as far as the other side takes it, and reads
// what comes back until the other side is silent.
func talk(t *testing.T, addr string, data []byte) string {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatalf("the port is closed: %v", err)
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	go func() {
		c.Write(data) // may fail: the server may hang up
		c.(*net.TCPConn).CloseWrite()
	}()
	b, err := io.ReadAll(io.LimitReader(c, 1<<20))
	if ne, ok := err.(net.Error); ok && ne.Timeout() {
		t.Errorf("after %.20q... the server neither answers nor hangs up", data)
	}
	return string(b)
}

// memory is the resident size of the gateway.
func memory(t *testing.T, g *gateway) int64 {
	t.Helper()
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", g.cmd.Process.Pid))
	if err != nil {
		t.Fatalf("the gateway is gone: %v\n%s", err, g.log)
	}
	defer f.Close()
	var kib int64
	for s := bufio.NewScanner(f); s.Scan(); {
		if _, err := fmt.Sscanf(s.Text(), "VmRSS: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}
