package main

import (
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

const banConfig = `
hostname = "mx.local.test"
domain "local.test" {
  route = route.store
}
listener "submission" {
  address         = "127.0.0.1:0"
  tls             = off
  auth            = accounts
  allow_cleartext = true
  proxy_protocol  = ["127.0.0.1"]
  policy          = policy.open
}
metrics {
  address = "127.0.0.1:0"
}
logins {
  failures = 3
}
policy "open" {}
`

// loginFrom logs bob in over SMTP from an address, as a proxy tells it, and
// returns the reply.
func loginFrom(t *testing.T, g *gateway, ip, password string) string {
	t.Helper()
	conn, err := net.Dial("tcp", g.address("submission", "submission"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	login := base64.StdEncoding.EncodeToString([]byte("\x00bob@local.test\x00" + password))
	c := textproto.NewConn(conn)
	if err := c.PrintfLine("PROXY TCP4 %s 192.0.2.100 4711 587", ip); err != nil {
		t.Fatal(err)
	}
	for _, say := range []string{"", "EHLO client.test", "AUTH PLAIN " + login} {
		if say != "" {
			if err := c.PrintfLine("%s", say); err != nil {
				t.Fatal(err)
			}
		}
		if code, text, err := c.ReadResponse(0); code >= 400 || err != nil {
			return strings.TrimSpace(strconv.Itoa(code) + " " + text)
		}
	}
	return "in"
}

// Whoever guesses passwords is banned, also after a restart; the account's owner
// gets in from home; the operator sees it and can end it.
func TestBan(t *testing.T) {
	g := serveGateway(t, banConfig)
	g.addUser("bob@local.test", "secret")
	const home, guesser = "198.51.100.7", "203.0.113.66"
	if got := loginFrom(t, g, home, "secret"); got != "in" {
		t.Fatal(got)
	}
	for range 3 {
		if got := loginFrom(t, g, guesser, "guess"); !strings.HasPrefix(got, "535 5.7.8") {
			t.Fatalf("a wrong password: %q", got)
		}
	}
	for _, when := range []string{"now", "after a restart"} {
		if got := loginFrom(t, g, guesser, "secret"); !strings.HasPrefix(got, "454 4.7.0 Too many wrong passwords from 203.0.113.66/32") {
			t.Errorf("%s the guesser hears %q", when, got)
		}
		if got := loginFrom(t, g, home, "secret"); got != "in" {
			t.Errorf("%s bob at home hears %q", when, got)
		}
		if code, out, errs := forepost("ban", "list", "--data", g.data()); code != 0 || !strings.Contains(out, "\n203.0.113.66/32\t") || strings.Count(out, "\n") != 2 {
			t.Errorf("%s: %d %s %s", when, code, out, errs)
		}
		if when == "now" {
			checkBanIsTold(t, g)
			g.end(syscall.SIGTERM)
			g.start()
		}
	}
	if code, out, errs := forepost("ban", "add", "198.51.100.0/24", "--reason", "test", "--data", g.data()); code != 0 || !strings.Contains(out, "198.51.100.0/24") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	if got := loginFrom(t, g, "198.51.100.8", "secret"); !strings.HasPrefix(got, "454") {
		t.Errorf("a neighbour of home, whose network is banned: %q", got)
	}
	for _, network := range []string{"203.0.113.66", "198.51.100.0/24"} {
		if code, out, errs := forepost("ban", "remove", network, "--data", g.data()); code != 0 {
			t.Errorf("%d %s %s", code, out, errs)
		}
	}
	if got := loginFrom(t, g, guesser, "secret"); got != "in" {
		t.Errorf("after the ban: %q", got)
	}
	if code, _, errs := forepost("ban", "remove", "nonsense", "--data", g.data()); code == 0 || !strings.Contains(errs, "no address and no network") {
		t.Errorf("%d %s", code, errs)
	}
}

// checkBanIsTold looks for the ban in the log, the trail and the metrics.
func checkBanIsTold(t *testing.T, g *gateway) {
	t.Helper()
	log := g.log.String()
	i := strings.Index(log, "banned for guessing passwords")
	if i < 0 {
		t.Fatalf("the log does not tell of the ban:\n%s", log)
	}
	_, id, _ := strings.Cut(log[i:], " id=")
	id, _, _ = strings.Cut(id, " ")
	if code, out, errs := forepost("explain", id, "--data", g.data()); code != 0 || !strings.Contains(out, "builtin.logins") {
		t.Errorf("explain %s: %d %s %s", id, code, out, errs)
	}
	res, err := http.Get("http://" + g.address("metrics", "") + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	for _, want := range []string{`forepost_auth_attempts_total{protocol="smtp",result="refused"} 3`, `forepost_auth_attempts_total{protocol="smtp",result="ok"} `,
		`forepost_auth_attempts_total{protocol="smtp",result="later"} `, `forepost_login_bans_total{kind="address"} 1`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the metrics lack %s (%v)", want, err)
		}
	}
}

// metric is the value of a line of the metrics, 0 where there is none.
func metric(t *testing.T, g *gateway, name string) float64 {
	t.Helper()
	res, err := http.Get("http://" + g.address("metrics", "") + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if v, ok := strings.CutPrefix(line, name+" "); ok {
			f, err := strconv.ParseFloat(v, 64)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
	}
	return 0
}
