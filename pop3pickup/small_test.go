package pop3pickup

import (
	"context"
	"fmt"
	"net"
	"net/textproto"
	"testing"
	"time"
)

func TestClientKey(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.1:110":             "192.0.2.1",
		"[::ffff:192.0.2.1]:110":    "192.0.2.1", // the same client
		"[2001:db8:1:2:3:4:5:6]:99": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:99":         "fe80::/64",
		"@":                         "@", // a unix socket
	} {
		if got := clientKey(addr(in)); got != want {
			t.Errorf("%s counts as %s, want %s", in, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	for in, want := range map[string]uint64{"1": 1, "007": 7, "99999999": 99999999, "99999999999999999999999": 1<<64 - 1} {
		if n, ok := number(in); !ok || n != want {
			t.Errorf("%s is %d, %v; want %d", in, n, ok, want)
		}
	}
	for _, in := range []string{"", "-1", "+1", "1 ", "0x1", "1_0", "1.0", "\u0661"} {
		if n, ok := number(in); ok {
			t.Errorf("%q is the number %d", in, n)
		}
	}
}

func TestLoginTimesAreBounded(t *testing.T) {
	l := newLoginTimes(time.Minute)
	now := time.Unix(0, 0)
	for i := range 10_000 {
		now = now.Add(time.Second)
		l.note(fmt.Sprint(i), now)
	}
	if len(l.last) > 2048 {
		t.Errorf("%d logins are remembered, of which 60 matter", len(l.last))
	}
	if w := l.wait("9999", now.Add(20*time.Second)); w != 40*time.Second {
		t.Errorf("the last one waits %v", w)
	}
}

// TestServe goes over a real socket, from the greeting to the end of Serve.
func TestServe(t *testing.T) {
	h, _ := buildMem(t, Config{})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- h.s.Serve(ln) }()
	c, err := textproto.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, cmd := range []string{"", "USER bob@example.com", "PASS se sam", "STAT", "QUIT"} {
		if cmd != "" {
			c.PrintfLine("%s", cmd)
		}
		if l, err := c.ReadLine(); err != nil || l[:3] != "+OK" {
			t.Fatalf("%s: %q, %v", cmd, l, err)
		}
	}
	if err := h.s.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	if err := <-served; err != ErrClosed {
		t.Errorf("Serve ended with %v", err)
	}
	if err := h.s.Serve(ln); err != ErrClosed {
		t.Errorf("Serve after Shutdown: %v", err)
	}
}
