package main

import (
	"fmt"
	"net/smtp"
	"strings"
	"testing"
)

const partialConfig = `
hostname   = "gw.test"
postmaster = "postmaster@local.test"
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.mixed
}
imap "mail" {
  address = "127.0.0.1:0"
}
domain "local.test" {
  route = route.store
}
policy "mixed" {
  %s
  data {
    reject "eve" {
      when = rcpt.local == "eve"
      text = "5.7.1 Eve does not want this"
    }
  }
}
`

// SMTP has one answer for all recipients. What was taken for bob and refused
// for eve is never lost without a word: the sender is told, unless the policy
// says to throw it away.
func TestOneRecipientRejects(t *testing.T) {
	for _, c := range []struct {
		partial  string
		reported bool
		story    string
	}{
		{"", true, "BOUNCE"},
		{"partial = bounce", true, "BOUNCE"},
		{"partial = discard", false, "DISCARD"},
	} {
		g := serveGateway(t, fmt.Sprintf(partialConfig, c.partial))
		for _, u := range []string{"bob", "eve", "me"} {
			g.addUser(u+"@local.test", "secret")
		}
		id := sendTo(t, g.address("smtp", "edge"), "me@local.test", "bob@local.test", "eve@local.test")
		waitFor(t, func() (string, bool) { // reports come first, deliveries to the store are quick
			return "bob has nothing", mailbox(t, g, "bob@local.test", "secret")["mixed"] == 1
		})
		if c.reported {
			waitFor(t, func() (string, bool) {
				all := strings.Join(fetchAll(t, g, "me@local.test", "secret", "INBOX"), "\n")
				return "the sender is not told: " + all, strings.Contains(all, "Final-Recipient: rfc822; eve@local.test") &&
					strings.Contains(all, "5.7.1 Eve does not want this") && !strings.Contains(all, "Final-Recipient: rfc822; bob")
			})
		}
		waitFor(t, func() (string, bool) {
			s, err := g.client().Status(t.Context())
			return fmt.Sprint("something waits: ", s, err), err == nil && s.Queue == 0
		})
		if n := len(fetchAll(t, g, "me@local.test", "secret", "INBOX")); n == 1 != c.reported {
			t.Errorf("%q: the sender has %d messages", c.partial, n)
		}
		if n := len(fetchAll(t, g, "eve@local.test", "secret", "INBOX")); n != 0 {
			t.Errorf("%q: eve has %d messages", c.partial, n)
		}
		if _, out, _ := forepost("explain", "--data", g.data(), id); !strings.Contains(out, c.story+"  eve@local.test  by mixed.data.reject.eve") {
			t.Errorf("%q: the story is\n%s", c.partial, out)
		}
		if err := sendOne(g.address("smtp", "edge"), "eve@local.test", "alone"); err == nil || !strings.Contains(err.Error(), "Eve does not want this") {
			t.Errorf("%q: where all reject, it is refused: %v", c.partial, err)
		}
	}
}

// sendTo sends a message with the Subject "mixed" and returns its ID.
func sendTo(t *testing.T, addr, from string, to ...string) (id string) {
	t.Helper()
	c, err := smtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Mail(from); err != nil {
		t.Fatal(err)
	}
	for _, r := range to {
		if err := c.Rcpt(r); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Text.Cmd("DATA"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Text.ReadResponse(354); err != nil {
		t.Fatal(err)
	}
	c.Text.PrintfLine("From: %s\r\nSubject: mixed\r\n\r\nbody\r\n.", from)
	_, said, err := c.Text.ReadResponse(250)
	if err != nil {
		t.Fatal(err)
	}
	return idIn.FindString(said)
}
