package main

import (
	"strings"
	"testing"
)

const showConfig = `
hostname = "mx.local.test"
domain "local.test" {
  route   = route.store
  aliases = { sales = ["bob@local.test"], all = ["bob@local.test", "ann@local.test"] }
}
account "ann@local.test" {
  password        = "ann's secret"
  aliases         = ["ann.ex@local.test"]
  quota           = 1000000
  send_messages   = "2/1h"
  send_recipients = "none"
  send_bytes      = "1MiB/1d"
}
store {
  send_messages   = "100/1h"
  send_recipients = "3/1h"
}
listener "submission" {
  address         = "127.0.0.1:0"
  tls             = off
  auth            = accounts
  allow_cleartext = true
  policy          = policy.open
}
imap "mail" {
  address = "127.0.0.1:0"
}
policy "open" {}
`

// Everything that is known of an account, by its name and by an alias, of a running
// gateway and without one; and the limits of an account block, of the store's for others.
func TestUserShow(t *testing.T) {
	g := serveGateway(t, showConfig)
	if code, _, errs := foreposted("secret\n", "user", "add", "bob@local.test", "--alias", "robert@local.test", "--data", g.data()); code != 0 {
		t.Fatal(errs)
	}
	for i, want := range []string{"", "", "451 4.7.1 You may send 2 messages in 1h0m0s"} {
		if got := submitAs(t, g, "ann@local.test", "ann's secret", []string{"bob@local.test", "bob@local.test", "bob@local.test", "ann@local.test"}, "Subject: x\r\n\r\nhello\r\n"); !strings.HasPrefix(got, want) || (got == "") != (want == "") {
			t.Errorf("message %d of ann: %q, want %q", i+1, got, want)
		}
	}
	if got := submitAs(t, g, "bob@local.test", "secret", []string{"ann@local.test", "ann@local.test", "ann@local.test", "bob@local.test"}, "Subject: x\r\n\r\nhello\r\n"); !strings.HasPrefix(got, "552 5.7.1 You may send 3 recipients") {
		t.Errorf("bob, by the store block: %q", got)
	}
	show := func(args ...string) string {
		code, out, errs := forepost(append(append([]string{"user", "show"}, args...), "--data", g.data())...)
		if code != 0 {
			t.Errorf("%q ends with %d: %s", args, code, errs)
		}
		return out
	}
	waitFor(t, func() (string, bool) {
		out := show("ann.ex@local.test")
		return "ann's mail has not arrived:\n" + out, strings.Contains(out, "INBOX: 2, unseen 2\n")
	})
	has(t, show("ANN@local.test"), "account     ann@local.test\n", "aliases     ann.ex@local.test\n", "made in     the configuration\n", "logs in     PLAIN, LOGIN and SCRAM-SHA-256\n",
		"sends as    ann.ex@local.test\n            ann@local.test\n", "has sent    2 of 2 messages in 1h0m0s\n", " of 1048576 bytes in 24h0m0s\n", "seen from   127.0.0.1/32\n", "octets (of 1000000) in 2 messages\n")
	has(t, show("robert@local.test"), "account     bob@local.test\n", "            robert@local.test\n            sales@local.test\n", "has sent    0 of 100 messages in 1h0m0s\n            0 of 3 recipients in 1h0m0s\n", "INBOX: 2, unseen 2\n")
	has(t, show("bob@local.test", "--json"), `"login":"scram"`, `"sends_as":["bob@local.test","robert@local.test","sales@local.test"]`, `{"name":"INBOX","messages":2,"unseen":2}`)
	has(t, show("bob@local.test", "--format", "{{.Name}} {{.Messages}}"), "bob@local.test 2\n")
	for _, who := range []string{"nobody@local.test", "all@local.test", "nonsense"} {
		if code, out, errs := forepost("user", "show", who, "--data", g.data()); code != 1 || out != "" || !strings.Contains(errs, who) {
			t.Errorf("%s: %d %s %s", who, code, out, errs)
		}
	}
	if got := submitAs(t, g, "robert@local.test", "guess", []string{"ann@local.test"}, ""); !strings.HasPrefix(got, "535") {
		t.Errorf("a wrong password: %q", got)
	}
	if got := submitAs(t, g, "eve@local.test", "guess", []string{"ann@local.test"}, ""); !strings.HasPrefix(got, "535") {
		t.Errorf("a wrong name: %q", got)
	}
	if out := show("bob@local.test"); strings.Contains(out, "slowed") {
		t.Errorf("one mistake is no attack:\n%s", out)
	}
	if code, _, errs := forepost("user", "disable", "bob@local.test", "--data", g.data()); code != 0 {
		t.Error(errs)
	}
	g.end(15)
	has(t, show("bob@local.test"), "aliases     robert@local.test\n", "state       disabled", "INBOX: 2, unseen 2\n")
}
