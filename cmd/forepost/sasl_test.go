package main

import (
	"os/exec"
	"strings"
	"testing"
)

const saslConfig = clientsConfig + `
listener "submissions" {
  address = "127.0.0.1:0"
  tls     = implicit
  auth    = accounts
  policy  = policy.open
}
`

// gsasl runs GNU SASL's client; it exits with an error where it is not let in.
func gsasl(g *gateway, protocol, port, mech, password string, more ...string) (string, error) {
	args := append([]string{"--" + protocol, "--connect=127.0.0.1:" + port, "-m", mech,
		"-a", "bob@local.test", "-z", "bob@local.test", "-p", password, "--hostname=localhost"}, more...)
	c := exec.Command("gsasl", args...)
	c.Stdin = strings.NewReader("")
	out, err := c.CombinedOutput()
	return string(out), err
}

// swaks speaks PLAIN and LOGIN over STARTTLS and implicit TLS; GNU SASL speaks
// SCRAM-SHA-256, and -PLUS bound to TLS, with SMTP and IMAP.
func TestMechanismsOfRealClients(t *testing.T) {
	need(t, "swaks", "gsasl")
	g := serveConfig(t, saslConfig)
	smtp := g.port("submission", "submission")
	for _, way := range [][]string{{"-tls"}, {"-tlsc"}} {
		for _, mech := range []string{"PLAIN", "LOGIN"} {
			port := smtp
			if way[0] == "-tlsc" {
				port = g.port("submission", "submissions")
			}
			args := append([]string{"--server", "127.0.0.1", "--port", port, "-a", mech, "-au", "bob@local.test", "-ap", "secret",
				"--from", "bob@local.test", "--to", "bob@local.test", "--h-Subject", mech + way[0]}, way...)
			if out := runProgram(t, g, "swaks", args...); !strings.Contains(out, "235 2.7.0") || !strings.Contains(out, "TLS started") {
				t.Errorf("swaks %s %s:\n%s", way, mech, out)
			}
		}
	}
	for _, c := range []struct {
		protocol, port, mech, password string
		more                           []string
		in                             bool
	}{
		{"smtp", smtp, "SCRAM-SHA-256", "secret", []string{"--no-starttls"}, true},
		{"smtp", smtp, "SCRAM-SHA-256", "wrong", []string{"--no-starttls"}, false},
		{"smtp", smtp, "SCRAM-SHA-256-PLUS", "secret", []string{"--starttls", "--x509-ca-file="}, true},
		{"smtp", smtp, "SCRAM-SHA-256-PLUS", "wrong", []string{"--starttls", "--x509-ca-file="}, false},
		{"smtp", smtp, "PLAIN", "secret", []string{"--starttls", "--x509-ca-file="}, true},
		{"imap", g.port("imap", "mail"), "SCRAM-SHA-256", "secret", []string{"--no-starttls"}, true},
		{"imap", g.port("imap", "mail"), "SCRAM-SHA-256", "wrong", []string{"--no-starttls"}, false},
		{"imap", g.port("imap", "mail"), "SCRAM-SHA-256-PLUS", "secret", []string{"--starttls", "--x509-ca-file="}, true},
	} {
		out, err := gsasl(g, c.protocol, c.port, c.mech, c.password, c.more...)
		if (err == nil) != c.in || strings.Contains(out, "Client authentication finished") != c.in {
			t.Errorf("gsasl %s %s with %q: %v\n%s", c.protocol, c.mech, c.password, err, out)
		}
	}
}
