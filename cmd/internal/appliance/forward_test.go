package appliance

import (
	"fmt"
	"net/smtp"
	"regexp"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/mail"
)

const (
	forwarderConfig = `
hostname = "mx.a.test"
domain "a.test" {
  route   = route.store
  dkim    = [ { selector = "s1", key = file("key.pem") } ]
  aliases = {
    away = ["rep@b.test"]
    gone = ["nobody@b.test"]
  }
}
` + inboundDoor + `policy "inbound" {
  data {
    reject "broken" {
      when = spf.result == "permerror"
      text = "5.5.2 The SPF record is broken"
    }
  }
}
`
	goalConfig = `
hostname = "mx.b.test"
domain "b.test" {
  route = route.store
}
domain "c.test" {
  route = route.store
}
account "rep@b.test" {
  password = "secret"
}
account "joe@c.test" {
  password = "secret"
}
listener "edge" {
  address      = "127.0.0.1:0"
  tls          = off
  reject_early = true
}
dns {
  zone = "zone.json"
}
`
)

var returnPath = regexp.MustCompile(`(?m)^Return-Path: <(.*)>\r?$`)

// pathOf is the Return-Path of an account's message.
func pathOf(t *testing.T, a *Appliance, name string, n int) string {
	t.Helper()
	acc, err := a.keep.store.Account(name)
	if err != nil {
		t.Fatal(err)
	}
	box, err := acc.Mailbox("INBOX")
	if err != nil {
		t.Fatal(err)
	}
	m := returnPath.FindSubmatch(readAll(t, box.Snapshot().Messages[n].Message))
	if m == nil {
		t.Fatal("no Return-Path")
	}
	return string(m[1])
}

// TestForwarding: mail that an alias leads elsewhere goes out with a sender of ours;
// a bounce to that comes back to the true one, over a restart; a forged one is
// refused. What cannot be delivered is told to the true sender, unless he is
// disowned.
func TestForwarding(t *testing.T) {
	now, _ := clock()
	goal := oneGateway(t, t.TempDir(), goalConfig, now, 25)
	defer func() { stopGateway(t, goal) }()
	var port uint16
	fmt.Sscanf(addressOf(t, goal), "127.0.0.1:%d", &port)
	dir := t.TempDir()
	a := oneGateway(t, dir, forwarderConfig, now, port)
	defer func() { stopGateway(t, a) }()
	send := func(from, to string) error {
		return smtp.SendMail(addressOf(t, a), nil, from, []string{to}, []byte("From: "+from+"\r\nSubject: x\r\n\r\nHi.\r\n"))
	}
	if err := send("joe@c.test", "away@a.test"); err != nil {
		t.Fatal(err)
	}
	until(t, "the mail was not forwarded", func() bool { return inbox(t, goal, "rep@b.test") == 1 })
	path := pathOf(t, goal, "rep@b.test", 0)
	if !strings.HasPrefix(path, "SRS0=") || !strings.HasSuffix(path, "=c.test=joe@a.test") {
		t.Fatalf("it goes out from %s", path)
	}
	stopGateway(t, a)
	a = oneGateway(t, dir, forwarderConfig, now, port)
	if err := send("", path); err != nil {
		t.Fatalf("the bounce: %v", err)
	}
	until(t, "the bounce did not come back", func() bool { return inbox(t, goal, "joe@c.test") == 1 })
	if got := pathOf(t, goal, "joe@c.test", 0); got != "" {
		t.Errorf("the bounce has the sender %q", got)
	}
	if err := send("", strings.Replace(path, "=joe@", "=boss@", 1)); err == nil || !strings.Contains(err.Error(), "5.1.1") {
		t.Errorf("forged: %v", err)
	}

	if err := send("joe@c.test", "gone@a.test"); err != nil { // SPF passes
		t.Fatal(err)
	}
	until(t, "no report to the true sender", func() bool { return inbox(t, goal, "joe@c.test") == 2 })
	if err := send("rep@b.test", "gone@a.test"); err != nil { // SPF fails
		t.Fatal(err)
	}
	until(t, "the queue does not empty", func() bool { return a.keep.queue.Stats().Entries == 0 })
	if n := inbox(t, goal, "rep@b.test"); n != 1 {
		t.Errorf("a report went to a sender that is disowned")
	}
	if a.told(mail.Unproven) != true || a.told(mail.Disowned) != false || a.told(mail.Doubted) != false {
		t.Error("the default of bounces is not plausible")
	}
}
