package main

import (
	"encoding/json"
	"net/smtp"
	"strings"
	"testing"

	"github.com/forepost/forepost/cmd/internal/admin"
)

const quarantineConfig = `
hostname = "gw.test"
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.careful
}
imap "mail" {
  address = "127.0.0.1:0"
}
domain "local.test" {
  route   = route.store
  aliases = { sales = ["bob@local.test"] }
}
quarantine "spam" {}
policy "careful" {
  data {
    quarantine "virus" {
      class = "malware"
      when  = contains(msg.subject, "worm")
    }
    quarantine "offers" {
      class = "spam"
      when  = contains(msg.subject, "offer")
    }
    quarantine "odd" {
      when = contains(msg.subject, "odd")
    }
  }
}
`

// TestQuarantine: what a policy keeps apart is listed, shown, released to whom it
// was for (whatever the client said of it) and deleted; a release asks the policy
// again, and malware does not pass.
func TestQuarantine(t *testing.T) {
	g := serveGateway(t, quarantineConfig)
	g.addUser("bob@local.test", "secret")
	edge := g.address("smtp", "edge")
	for _, subject := range []string{"offer one", "a worm", "odd thing"} {
		if err := sendOne(edge, "bob@local.test", subject); err != nil {
			t.Fatal(err)
		}
	}
	sendWithORCPT(t, edge, "sales@local.test", "offer two")
	list := func(args ...string) (got []admin.Quarantined) {
		_, out, _ := forepost(append([]string{"quarantine", "list", "--json", "--data", g.data()}, args...)...)
		for _, line := range strings.Split(strings.TrimSpace(out), "\n") {
			var q admin.Quarantined
			if line != "" && json.Unmarshal([]byte(line), &q) == nil {
				got = append(got, q)
			}
		}
		return got
	}
	waitFor(t, func() (string, bool) { return "not all is in quarantine", len(list()) == 4 })
	if got := list("to:sales@*"); len(got) != 1 || got[0].Subject != "offer two" || got[0].From != "a@send.test" || got[0].In != "spam" || got[0].Until.IsZero() {
		t.Fatalf("to:sales@* gives %+v", got)
	}
	byName := map[string]string{}
	for _, q := range list() {
		byName[q.Subject] = string(q.ID)
	}
	if _, out, _ := forepost("explain", "--data", g.data(), byName["offer one"]); !strings.Contains(out, "kept for bob@local.test in quarantine.spam until ") ||
		!strings.Contains(out, "; an administrator may release\n") {
		t.Errorf("explain tells\n%s", out)
	}
	run := func(want int, contains string, args ...string) {
		t.Helper()
		code, out, errs := forepost(append(append([]string{"quarantine"}, args...), "--data", g.data())...)
		if code != want || !strings.Contains(out+errs, contains) {
			t.Errorf("%q ends with %d, want %d:\n%s%s\nwant %q", args, code, want, out, errs, contains)
		}
	}
	run(exitDone, "by careful.data.quarantine.offers", "show", byName["offer two"])
	run(exitDone, "\nSubject: offer two\r\n", "show", "--headers", byName["offer two"])
	run(exitDone, "would release 3 messages", "release", "--dry-run", "age<1d from:@send.test to:bob@*")
	run(exitDone, "release: 1 message", "release", byName["offer two"])
	run(exitDone, "release: 1 message", "release", byName["odd thing"])
	run(exitFailed, "careful.data.quarantine.virus would quarantine it", "release", byName["a worm"])
	run(exitFailed, "in no quarantine", "show", byName["offer two"])
	run(exitFailed, "no quarantine is called", "list", "--in", "nothing")
	run(exitUsage, "is not an ID", "show", "x")
	run(exitFailed, "--yes does it without asking", "delete", "to:bob@*")
	waitFor(t, func() (string, bool) {
		box := mailbox(t, g, "bob@local.test", "secret")
		return "what was released does not arrive", box["offer two"] == 1 && box["odd thing"] == 1 && len(box) == 2
	})
	for _, m := range fetchAll(t, g, "bob@local.test", "secret", "INBOX") {
		if strings.Contains(m, "X-Forepost-Quarantined") || strings.Count(m, "Return-Path:") != 1 {
			t.Errorf("what was released has\n%s", m)
		}
	}
	if _, out, _ := forepost("explain", "--data", g.data(), byName["offer two"]); !strings.Contains(out, "released") || !strings.Contains(out, "no longer in quarantine") {
		t.Errorf("explain tells\n%s", out)
	}
	run(exitDone, "release: 1 message", "release", "--force", byName["a worm"])
	run(exitDone, "delete: 1 message", "delete", byName["offer one"])
	if got := list(); len(got) != 0 {
		t.Errorf("there is still %+v", got)
	}
}

// sendWithORCPT sends as a client that says that the mail was for somebody else.
func sendWithORCPT(t *testing.T, addr, to, subject string) {
	t.Helper()
	c, err := smtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Mail("a@send.test"); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"RCPT TO:<" + to + "> ORCPT=rfc822;victim@elsewhere.test", "DATA"} {
		if err := c.Text.PrintfLine("%s", line); err != nil {
			t.Fatal(err)
		}
		if _, _, err := c.Text.ReadResponse(0); err != nil {
			t.Fatal(err)
		}
	}
	c.Text.PrintfLine("From: a@send.test\r\nSubject: %s\r\n\r\nbody\r\n.", subject)
	if _, _, err := c.Text.ReadResponse(250); err != nil {
		t.Fatal(err)
	}
}
