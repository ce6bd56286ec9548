package main

import (
	"fmt"
	"strings"
	"testing"
)

const noticeConfig = `
hostname   = "gw.test"
postmaster = "postmaster@local.test"
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.telling
}
imap "mail" {
  address = "127.0.0.1:0"
}
domain "local.test" {
  route   = route.store
  aliases = { security = ["ann@local.test"] }
}
quarantine "spam" {}
policy "telling" {
  rcpt {
    reject "early" {
      when   = mail.from == "early@send.test"
      text   = "5.7.1 No"
      notify = ["security@local.test"]
    }
  }
  data {
    quarantine "offers" {
      when   = contains(msg.subject, "offer")
      notify = ["security@local.test", rcpt.address, mail.from]
    }
    reject "words" {
      when   = contains(msg.subject, "forbidden")
      text   = "5.7.1 Not that word"
      notify = ["security@local.test"]
    }
  }
}
`

// TestNotices: who is named by a rule hears of its verdict, at an address of ours
// or one that the configuration names, and never a sender who may be forged; an
// address has only so many in an hour.
func TestNotices(t *testing.T) {
	g := serveGateway(t, noticeConfig)
	g.addUser("bob@local.test", "secret")
	g.addUser("ann@local.test", "secret")
	edge := g.address("smtp", "edge")
	if err := sendOne(edge, "bob@local.test", "offer"); err != nil {
		t.Fatal(err)
	}
	if err := sendOne(edge, "bob@local.test", "forbidden"); err == nil {
		t.Fatal("it was taken")
	}
	if err := sendAs(edge, "early@send.test", "bob@local.test", "early"); err == nil {
		t.Fatal("it was taken")
	}
	var ann, bob []string
	waitFor(t, func() (string, bool) {
		ann, bob = fetchAll(t, g, "ann@local.test", "secret", "INBOX"), fetchAll(t, g, "bob@local.test", "secret", "INBOX")
		return fmt.Sprint("no notices: ", len(ann), len(bob)), len(ann) == 3 && len(bob) == 1
	})
	all := strings.Join(ann, "")
	for _, want := range []string{"Return-Path: <>\r\n", "Auto-Submitted: auto-generated\r\n", "From: postmaster@local.test\r\n", "To: security@local.test\r\n",
		"was put into quarantine", "By:       telling.data.quarantine.offers\r\n", "Subject:  offer\r\n", "From:     <a@send.test>\r\n", "To:       bob@local.test\r\n",
		"was refused", "By:       telling.data.reject.words\r\n", "By:       telling.rcpt.reject.early\r\n", "forepost quarantine release "} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is in none of\n%s", want, all)
		}
	}
	if s, err := g.client().Status(t.Context()); err != nil || s.Queue != 0 {
		t.Errorf("something is sent elsewhere: %+v %v", s, err)
	}
	for range 25 {
		sendAs(edge, "early@send.test", "bob@local.test", "early")
	}
	waitFor(t, func() (string, bool) {
		return g.log.String(), strings.Count(g.log.String(), "its reader had many in this hour") == 8
	})
	if n := len(fetchAll(t, g, "ann@local.test", "secret", "INBOX")); n > 20 {
		t.Errorf("ann has %d notices", n)
	}
}
