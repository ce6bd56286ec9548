package main

import (
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"testing"
)

const greetingConfig = `
hostname = "mx.local.test"
domain "local.test" {
  route = route.store
}
filter "dnsbl" "bl" {
  zone = "bl.test"
}
listener "edge" {
  address        = "127.0.0.1:0"
  tls            = off
  proxy_protocol = ["127.0.0.1"]
  reject_early   = true
  policy         = policy.guarded
}
dns {
  zone = %q
}
policy "guarded" {
  connect {
    reject "listed" {
      when = dnsbl.bl.listed
      text = "5.7.1 ${client.ip} is on a blocklist"
    }
  }
}
`

// Where a policy says so, who is on a blocklist is turned away in place of the greeting,
// hears nothing more, and the trail knows why; others are greeted.
func TestBlocklistBeforeTheGreeting(t *testing.T) {
	g := serveGateway(t, fmt.Sprintf(greetingConfig, writeFile(t, "zone.json", `{"66.113.0.203.bl.test": {"A": ["127.0.0.2"]}}`)))
	greeted := func(ip string) (greeting, then string) {
		conn, err := net.Dial("tcp", g.address("smtp", "edge"))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		c := textproto.NewConn(conn)
		fmt.Fprintf(conn, "PROXY TCP4 %s 192.0.2.100 4711 25\r\n", ip)
		greeting = heard(t, c)
		fmt.Fprint(conn, "EHLO client.test\r\n")
		return greeting, heard(t, c)
	}
	greeting, then := greeted("203.0.113.66")
	if !strings.HasPrefix(greeting, "554 5.7.1 203.0.113.66 is on a blocklist (") || !strings.HasPrefix(then, "503 5.5.1") {
		t.Errorf("who is listed hears %q, and then %q", greeting, then)
	}
	_, id, _ := strings.Cut(greeting, "(")
	id, _, _ = strings.Cut(id, ")")
	waitFor(t, func() (string, bool) {
		code, out, errs := forepost("explain", id, "--data", g.data())
		return fmt.Sprint(code, out, errs), code == 0 && strings.Contains(out, "guarded.connect.reject.listed")
	})
	if greeting, then := greeted("203.0.113.67"); !strings.HasPrefix(greeting, "220 mx.local.test") || !strings.HasPrefix(then, "250 mx.local.test") {
		t.Errorf("who is not listed hears %q, and then %q", greeting, then)
	}
}
