package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const salvageConfig = `
hostname = "gw.test"
listener "edge" {
  address    = "127.0.0.1:0"
  tls        = off
  relay_from = ["127.0.0.1"]
  policy     = policy.open
}
domain "rcpt.test" {
  route      = route.down
  recipients = any
}
domain "local.test" {
  route = route.store
}
route "down" {
  to = ["127.0.0.1:1"]
}
imap "mail" {
  address = "127.0.0.1:0"
}
policy "open" {}
`

// A journal in which two places went bad is not opened, and the error says what to do;
// salvage tells what is lost, down to the message, leaves the damaged one as it was,
// and the gateway runs on with everything else.
func TestStoreSalvage(t *testing.T) {
	g := serveGateway(t, salvageConfig)
	g.addUser("bob@local.test", "secret")
	addr := g.address("smtp", "edge")
	for _, m := range []struct{ to, subject string }{
		{"one@rcpt.test", "kept one"}, {"bob@local.test", "kept two"}, {"hollow@rcpt.test", "text gone"},
		{"victim@rcpt.test", "record gone"}, {"five@rcpt.test", "kept five"},
	} {
		if err := sendOne(addr, m.to, m.subject); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, func() (string, bool) {
		return "not in the mailbox yet", mailbox(t, g, "bob@local.test", "secret")["kept two"] == 1
	})
	g.end(syscall.SIGTERM)

	dir := filepath.Join(g.data(), "mail")
	seg := filepath.Join(dir, "0000000001.seg")
	data, err := os.ReadFile(seg)
	if err != nil {
		t.Fatal(err)
	}
	flip := func(text string) {
		i := bytes.Index(data, []byte(text))
		if i < 0 {
			t.Fatalf("%q is not in the journal", text)
		}
		data[i] ^= 1
	}
	flip("Subject: text gone")
	flip("victim\x09rcpt.test") // in the record: the local part, the length and the text of the domain
	if err := os.WriteFile(seg, data, 0o600); err != nil {
		t.Fatal(err)
	}

	code, _, said := forepost("serve", "--config", g.config(), "--data", g.data())
	if code == 0 || !strings.Contains(said, seg+" is damaged at offset") || !strings.Contains(said, "forepost store salvage") {
		t.Errorf("serve: exit %d, %s", code, said)
	}
	code, out, said := forepost("store", "salvage", "--data", g.data())
	if code != exitPartly {
		t.Errorf("salvage: exit %d\n%s%s", code, out, said)
	}
	for _, want := range []string{"LOST  " + seg, "checksum of a frame's payload", "from <a@send.test> to hollow@rcpt.test: tell the sender", "the copy has 3 messages in the queue and 1 account", "mv " + dir} {
		if !strings.Contains(out, want) {
			t.Errorf("salvage does not say %q:\n%s", want, out)
		}
	}
	if after, _ := os.ReadFile(seg); !bytes.Equal(after, data) {
		t.Error("the damaged journal was changed")
	}
	if err := os.Rename(dir, dir+".damaged"); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir+".salvaged", dir); err != nil {
		t.Fatal(err)
	}
	g.start()
	es, err := g.client().QueueList(context.Background(), "", 0)
	if err != nil || len(es) != 2 || es[0].To[0].Address != "one@rcpt.test" || es[1].To[0].Address != "five@rcpt.test" {
		t.Errorf("the queue after salvage: %+v, %v", es, err)
	}
	if got := mailbox(t, g, "bob@local.test", "secret"); got["kept two"] != 1 {
		t.Errorf("the mailbox after salvage: %v", got)
	}
}

// What salvage cannot do it says, with the exit code of a wrong command line or a
// failure.
func TestStoreSalvageRefuses(t *testing.T) {
	dir := t.TempDir()
	if code, _, said := forepost("store", "salvage", "--data", dir, "--journal", "letters"); code != exitUsage || !strings.Contains(said, "mail, state, trail") {
		t.Errorf("an unknown journal: exit %d, %s", code, said)
	}
	if code, _, said := forepost("store", "salvage", "--data", dir); code != exitFailed || !strings.Contains(said, "no data directory") {
		t.Errorf("an empty directory: exit %d, %s", code, said)
	}
	g := serveGateway(t, salvageConfig)
	if code, _, said := forepost("store", "salvage", "--data", g.data()); code != exitFailed || !strings.Contains(said, "in use by process") {
		t.Errorf("while the gateway runs: exit %d, %s", code, said)
	}
}
