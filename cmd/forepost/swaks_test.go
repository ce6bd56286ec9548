package main

import (
	"fmt"
	"maps"
	"os/exec"
	"strings"
	"testing"
)

const proxyConfig = `
hostname = "mx.local.test"
domain "local.test" {
  route = route.store
}
listener "edge" {
  address        = "127.0.0.1:0"
  tls            = off
  proxy_protocol = ["127.0.0.1"]
  policy         = policy.open
}
imap "mail" {
  address = "127.0.0.1:0"
}
policy "open" {}
`

// Behind a proxy the client is whom the proxy names, in either version of the
// protocol, as swaks speaks it.
func TestSwaksProxy(t *testing.T) {
	need(t, "swaks")
	g := serveGateway(t, proxyConfig)
	g.addUser("bob@local.test", "secret")
	for version, family := range map[string]string{"1": "TCP4", "2": "AF_INET"} {
		runProgram(t, g, "swaks", "--server", g.address("smtp", "edge"), "--from", "me@friend.test", "--to", "bob@local.test",
			"--proxy-version", version, "--proxy-family", family, "--proxy-source", "192.0.2."+version, "--proxy-source-port", "4711",
			"--proxy-dest", "192.0.2.100", "--proxy-dest-port", "25", "--header", "Subject: by version "+version)
	}
	waitFor(t, func() (string, bool) {
		got := mailbox(t, g, "bob@local.test", "secret")
		return "not both arrived", got["by version 1"] == 1 && got["by version 2"] == 1
	})
	for _, m := range fetchAll(t, g, "bob@local.test", "secret", "INBOX") {
		subject := subjectOf(m)
		if want := "([192.0.2." + subject[len(subject)-1:] + "])"; !strings.Contains(m, want) {
			t.Errorf("%s: no %s in\n%s", subject, want, m)
		}
	}
}

const xclientConfig = `
hostname = "mx.local.test"
domain "local.test" {
  route = route.store
}
listener "edge" {
  address = "127.0.0.1:0"
  xclient = ["127.0.0.1"]
  policy  = policy.open
}
imap "mail" {
  address = "127.0.0.1:0"
}
dns {
  zone = %q
}
policy "open" {
  rcpt {
    reject "known" {
      when = client.name == "evil.test"
    }
  }
}
`

// Behind a server that says XCLIENT the client is whom that names, with and
// without TLS, as swaks speaks it; and the policy judges that client.
func TestSwaksXClient(t *testing.T) {
	need(t, "swaks")
	g := serveGateway(t, fmt.Sprintf(xclientConfig, writeFile(t, "zone.json", "{}")))
	g.addUser("bob@local.test", "secret")
	swaks := func(name, subject string, more ...string) []string {
		return append([]string{"--server", g.address("smtp", "edge"), "--from", "me@friend.test", "--to", "bob@local.test", "--header", "Subject: " + subject,
			"--xclient-addr", "192.0.2.7", "--xclient-name", name, "--xclient-helo", "helo of.test", "--xclient-proto", "ESMTP", "--xclient-port", "4711"}, more...)
	}
	runProgram(t, g, "swaks", swaks("client.test", "clear")...)
	runProgram(t, g, "swaks", swaks("client.test", "tls", "-tls")...)
	if out, err := exec.Command("swaks", swaks("evil.test", "evil")...).CombinedOutput(); err == nil || !strings.Contains(string(out), "550 5.7.1") {
		t.Errorf("%v\n%s", err, out)
	}
	waitFor(t, func() (string, bool) {
		got := mailbox(t, g, "bob@local.test", "secret")
		return "not both arrived", got["clear"] == 1 && got["tls"] == 1
	})
	for _, m := range fetchAll(t, g, "bob@local.test", "secret", "INBOX") {
		if !strings.Contains(m, "(client.test [192.0.2.7])") {
			t.Errorf("the client is not named in\n%s", m)
		}
	}
}

const submissionConfig = `
hostname = "mx.local.test"
domain "local.test" {
  route = route.store
}
listener "starttls" {
  address = "127.0.0.1:0"
  auth    = accounts
  policy  = policy.open
}
listener "implicit" {
  address = "127.0.0.1:0"
  tls     = implicit
  auth    = accounts
  policy  = policy.open
}
imap "mail" {
  address = "127.0.0.1:0"
}
policy "open" {}
`

// swaks submits over STARTTLS and over implicit TLS, with each mechanism.
func TestSwaksSubmission(t *testing.T) {
	need(t, "swaks")
	g := serveGateway(t, submissionConfig)
	g.addUser("bob@local.test", "secret")
	want := map[string]int{}
	for _, how := range []string{"starttls", "implicit"} {
		for _, mech := range []string{"PLAIN", "LOGIN"} {
			flag := map[string]string{"starttls": "--tls", "implicit": "--tls-on-connect"}[how]
			subject := how + " " + mech
			args := []string{"--server", g.address("submission", how), flag, "--auth", mech, "--auth-user", "bob@local.test",
				"--from", "bob@local.test", "--to", "bob@local.test", "--header", "Subject: " + subject}
			runProgram(t, g, "swaks", append(args, "--auth-password", "secret")...)
			want[subject] = 1
			if out, err := exec.Command("swaks", append(args, "--auth-password", "wrong")...).CombinedOutput(); err == nil || !strings.Contains(string(out), "535 5.7.8") {
				t.Errorf("%s with a wrong password: %v\n%s", subject, err, out)
			}
		}
	}
	waitFor(t, func() (string, bool) {
		got := mailbox(t, g, "bob@local.test", "secret")
		return fmt.Sprintf("%v arrived", got), maps.Equal(got, want)
	})
}
