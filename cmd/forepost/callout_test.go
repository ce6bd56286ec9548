package main

import (
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"syscall"
	"testing"
)

const calloutConfig = `
hostname = "mx.local.test"
domain "ask.test" {
  route      = route.inside
  recipients = callout
}
route "inside" {
  to = ["%s"]
}
callout {
  per_client = "50/1h"
  per_server = "100/1h"
}
listener "edge" {
  address        = "127.0.0.1:0"
  tls            = off
  proxy_protocol = ["127.0.0.1"]
  relay_from     = ["192.0.2.128/25"]
  greeting_delay = "0s"
  policy         = policy.open
}
metrics {
  address = "127.0.0.1:0"
}
policy "open" {}
`

// rcptFrom asks the edge about recipients from an address, as a proxy tells it.
func rcptFrom(t *testing.T, g *gateway, ip string, to ...string) (replies []string) {
	t.Helper()
	conn, err := net.Dial("tcp", g.address("smtp", "edge"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := textproto.NewConn(conn)
	say := func(format string, args ...any) string {
		if err := c.PrintfLine(format, args...); err != nil {
			t.Fatal(err)
		}
		return heard(t, c)
	}
	family := map[bool]string{true: "TCP6 %s 2001:db8::1", false: "TCP4 %s 192.0.2.100"}[strings.Contains(ip, ":")]
	say("PROXY "+family+" 4711 25", ip) // answered with the greeting
	say("EHLO client.test")
	say("MAIL FROM:<me@friend.test>")
	for _, a := range to {
		replies = append(replies, say("RCPT TO:<%s@ask.test>", a))
	}
	return replies
}

func heard(t *testing.T, c *textproto.Conn) string {
	t.Helper()
	code, text, err := c.ReadResponse(0)
	if code == 0 {
		t.Fatal(err)
	}
	return fmt.Sprint(code, " ", text)
}

// Recipient verification is no means to find out who is there, nor to wear out the next
// server: a network that asks for too many hears 451, the next server nothing, also after
// a restart; other networks and our own are served; explain says why, the metrics count.
func TestCalloutLimits(t *testing.T) {
	inside, asked := askedServer(t)
	g := serveGateway(t, fmt.Sprintf(calloutConfig, inside.Addr()))
	guesses := []string{"a1", "a2", "a3", "a4", "a5", "a6", "there", "a1"}
	replies := rcptFrom(t, g, "203.0.113.5", guesses...)
	want := []string{"550 5.1.1", "550 5.1.1", "550 5.1.1", "550 5.1.1", "550 5.1.1", "451 4.7.28", "451 4.7.28", "550 5.1.1"}
	for i, got := range replies {
		if !strings.HasPrefix(got, want[i]) {
			t.Errorf("%s: %q, want %s", guesses[i], got, want[i])
		}
	}
	if n := asked.Load(); n != 5 {
		t.Errorf("the next server was asked %d times", n)
	}
	if n := metric(t, g, `forepost_callouts_total{result="client"}`); n != 2 {
		t.Errorf("%v were put off, says the metric", n)
	}
	_, id, _ := strings.Cut(replies[5], "(")
	id, _, _ = strings.Cut(id, ")")
	if code, out, errs := forepost("explain", id, "--data", g.data()); code != 0 || !strings.Contains(out, "builtin.callout") || !strings.Contains(out, "network 203.0.113.0/24 asked for more than 50") {
		t.Errorf("explain %s: %d %s %s", id, code, out, errs)
	}
	g.end(syscall.SIGTERM)
	g.start()
	for i, c := range [][2]string{{"203.0.113.200", "451 4.7.28"}, {"203.0.112.5", "250"}, {"192.0.2.200", "250"}, {"2001:db8:1:1::5", "250"}} {
		if got := rcptFrom(t, g, c[0], fmt.Sprint(i, "there")); !strings.HasPrefix(got[0], c[1]) {
			t.Errorf("%s hears %q, want %s", c[0], got[0], c[1])
		}
	}
	checkServerLimit(t, g)
}

// checkServerLimit: whoever asks, and be it one of us, the next server is not asked more
// than it should be.
func checkServerLimit(t *testing.T, g *gateway) {
	t.Helper()
	var many []string
	for i := range 100 {
		many = append(many, fmt.Sprint("x", i, "there"))
	}
	replies := rcptFrom(t, g, "192.0.2.200", many...)
	if last := replies[len(replies)-1]; !strings.HasPrefix(replies[0], "250") || !strings.HasPrefix(last, "451 4.4.5 Recipients cannot be verified so fast") {
		t.Errorf("one of ours hears %q and in the end %q", replies[0], last)
	}
}
