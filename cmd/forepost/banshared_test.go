package main

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Nodes that share a Redis share bans: who guessed at either is kept out of both, and
// let in again by both.
func TestBansAreSharedOverRedis(t *testing.T) {
	addr, _ := startRedis(t)
	config := banConfig + fmt.Sprintf("redis \"shared\" {\n  address = %q\n}\nstate {\n  backend = redis.shared\n}\n", addr)
	nodes := []*gateway{serveGateway(t, config), serveGateway(t, config)}
	for _, g := range nodes {
		g.addUser("bob@local.test", "secret")
	}
	const guesser, home = "203.0.113.66", "198.51.100.7"
	if got := loginFrom(t, nodes[0], home, "secret"); got != "in" {
		t.Fatal(got)
	}
	for i := range 3 {
		if got := loginFrom(t, nodes[i%2], guesser, "guess"); !strings.HasPrefix(got, "535 5.7.8") {
			t.Fatalf("a wrong password: %q", got)
		}
	}
	for i, g := range nodes {
		if got := loginFrom(t, g, guesser, "secret"); !strings.HasPrefix(got, "454 4.7.0 Too many wrong passwords") {
			t.Errorf("node %d lets the guesser in: %q", i, got)
		}
		if code, out, errs := forepost("ban", "list", "--data", g.data()); code != 0 || !strings.Contains(out, "\n203.0.113.66/32\t") {
			t.Errorf("node %d: %d %s %s", i, code, out, errs)
		}
		if got := loginFrom(t, g, home, "secret"); got != "in" {
			t.Errorf("node %d does not know bob's home: %q", i, got)
		}
	}
	if code, _, errs := forepost("ban", "remove", guesser, "--data", nodes[1].data()); code != 0 {
		t.Error(errs)
	}
	if got := loginFrom(t, nodes[0], guesser, "secret"); got != "in" {
		t.Errorf("after the ban, which the other node ended: %q", got)
	}
}

const mailBanConfig = `
hostname = "mx.local.test"
domain "local.test" {
  route = route.store
}
listener "submission" {
  address         = "10.213.5.1:0"
  tls             = off
  auth            = accounts
  allow_cleartext = true
  policy          = policy.open
}
imap "mail" {
  address         = "10.213.5.1:0"
  tls             = off
  allow_cleartext = true
}
pop3 "mail" {
  address         = "10.213.5.1:0"
  tls             = off
  allow_cleartext = true
}
metrics {
  address = "127.0.0.1:0"
}
logins {
  failures = 3
}
policy "open" {}
`

// loginProgram logs bob in and tells how that went.
const loginProgram = `
import base64, imaplib, poplib, smtplib, sys
kind, host, port, password = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
try:
    if kind == "imap":
        c = imaplib.IMAP4(host, port); c.login("bob@local.test", password)
    elif kind == "pop3":
        c = poplib.POP3(host, port); c.user("bob@local.test"); c.pass_(password)
    else:
        c = smtplib.SMTP(host, port); c.ehlo() # login() would try one mechanism after the other
        said = c.docmd("AUTH", "PLAIN " + base64.b64encode(b"\0bob@local.test\0" + password.encode()).decode())
        if said[0] != 235: raise Exception(said)
    print("in")
except Exception as e:
    print(e)
`

// loginFromHost logs bob in from a host of its own, with a real client.
func loginFromHost(t *testing.T, g *gateway, h *host, kind, password string) string {
	t.Helper()
	name := "mail"
	if kind == "submission" {
		name = kind
	}
	out, err := exec.Command("ip", "netns", "exec", fmt.Sprintf("fptest%d", h.n), "python3", "-c", loginProgram,
		kind, "10.213.5.1", g.port(kind, name), password).CombinedOutput()
	if err != nil {
		t.Fatalf("%v %s", err, out)
	}
	return strings.TrimSpace(string(out))
}

// Wrong passwords count over all protocols: who guesses with one of them is kept out of
// the others. Another host is not.
func TestBanOverAllProtocols(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("network namespaces need root")
	}
	need(t, "ip", "python3")
	guesser, other := newHost(t, 5), newHost(t, 6)
	other.ip("-n fptest6 route add 10.213.5.0/24 via 10.213.6.1")
	g := serveGateway(t, mailBanConfig)
	g.addUser("bob@local.test", "secret")
	kinds := []string{"imap", "pop3", "submission"}
	for _, kind := range kinds {
		if got := loginFromHost(t, g, guesser, kind, "guess"); got == "in" || strings.Contains(got, "Too many") {
			t.Fatalf("%s: a wrong password: %q", kind, got)
		}
	}
	for i, kind := range kinds {
		got := loginFromHost(t, g, guesser, kind, "secret")
		if want := []string{"[UNAVAILABLE] Too many wrong passwords from 10.213.5.2/32", "[SYS/TEMP] Too many wrong passwords from 10.213.5.2/32", "454, b'4.7.0 Too many wrong passwords from 10.213.5.2/32"}[i]; !strings.Contains(got, want) {
			t.Errorf("%s: the guesser hears %q, want %q", kind, got, want)
		}
		if got := loginFromHost(t, g, other, kind, "secret"); got != "in" {
			t.Errorf("%s: another host hears %q", kind, got)
		}
		protocol := strings.Replace(kind, "submission", "smtp", 1)
		for result, n := range map[string]float64{"refused": 1, "later": 1, "ok": 1} {
			if got := metric(t, g, fmt.Sprintf("forepost_auth_attempts_total{protocol=%q,result=%q}", protocol, result)); got != n {
				t.Errorf("%s: %s is counted %v times", kind, result, got)
			}
		}
	}
	if n := strings.Count(g.log.String(), "banned for guessing passwords"); n != 1 {
		t.Errorf("the ban is told %d times\n%s", n, g.log)
	}
}
