package main

import (
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
