package main

import (
	"bufio"
	"fmt"
	"net"
	"net/smtp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/emersion/go-imap/v2/imapclient"
)

const recipientsConfig = `
hostname = "mx.local.test"
domain "local.test" {
  route         = route.store
  detail_folder = true
  aliases       = { "*" = ["bob@local.test"], info = ["eve@local.test"] }
}
domain "strict.test" {
  route     = route.store
  delimiter = ""
}
domain "ask.test" {
  route      = route.inside
  recipients = callout
}
route "inside" {
  to = ["%s"]
}
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.open
}
imap "mail" {
  address = "127.0.0.1:0"
}
policy "open" {}
`

// askedServer is a next server that knows there@ask.test, and counts who asks.
func askedServer(t *testing.T) (ln net.Listener, asked *atomic.Int64) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	asked = &atomic.Int64{}
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				fmt.Fprint(c, "220 inside.test\r\n")
				for sc := bufio.NewScanner(c); sc.Scan(); {
					reply := "250 ok"
					if strings.HasPrefix(sc.Text(), "RCPT") {
						asked.Add(1)
						if !strings.Contains(sc.Text(), "there@") {
							reply = "550 5.1.1 nobody of that name"
						}
					}
					fmt.Fprint(c, reply+"\r\n")
				}
			}()
		}
	}()
	return ln, asked
}

// rcpt asks the edge about recipients, one session for all.
func rcpt(t *testing.T, g *gateway, to ...string) (replies []string) {
	t.Helper()
	c, err := smtp.Dial(g.address("smtp", "edge"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Mail("me@friend.test"); err != nil {
		t.Fatal(err)
	}
	for _, a := range to {
		reply := "250"
		if err := c.Rcpt(a); err != nil {
			reply = strings.ReplaceAll(err.Error(), `"`, "") // net/textproto quotes the text
		}
		replies = append(replies, reply)
	}
	return replies
}

// Recipients in the session: accounts, details, the catch-all, unknown ones; and
// what the next server said is remembered over a restart, when it is away.
func TestRecipients(t *testing.T) {
	inside, asked := askedServer(t)
	g := serveGateway(t, fmt.Sprintf(recipientsConfig, inside.Addr()))
	for _, u := range []string{"bob@local.test", "eve@local.test", "ann@strict.test"} {
		g.addUser(u, "secret")
	}
	list := []string{"bob@local.test", "bob+work@local.test", "whoever@local.test", "info+x@local.test", "ann@strict.test", "ann+x@strict.test",
		"nobody@strict.test", "there@ask.test", "gone@ask.test"}
	want := []string{"250", "250", "250", "250", "250", "550 5.1.1", "550 5.1.1", "250", "550 5.1.1 nobody of that name"}
	for _, when := range []string{"first", "again", "after a restart, the next server away"} {
		if strings.HasPrefix(when, "after") {
			inside.Close()
			g.end(syscall.SIGTERM)
			g.start()
		}
		for i, got := range rcpt(t, g, list...) {
			if !strings.HasPrefix(got, want[i]) {
				t.Errorf("%s: %s gets %q, want %s", when, list[i], got, want[i])
			}
		}
		if n := asked.Load(); n != 2 {
			t.Errorf("%s: the next server was asked %d times about two recipients", when, n)
		}
	}
	if got := rcpt(t, g, "other@ask.test"); !strings.HasPrefix(got[0], "4") {
		t.Errorf("whom nobody can tell about: %q", got)
	}
	checkDetailFolder(t, g)
}

// checkDetailFolder sends to details of bob: with a mailbox of that name, and
// without, which makes none.
func checkDetailFolder(t *testing.T, g *gateway) {
	t.Helper()
	c, err := imapclient.DialInsecure(g.address("imap", "mail"), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login("bob@local.test", "secret").Wait(); err != nil {
		t.Fatal(err)
	}
	if err := c.Create("Work", nil).Wait(); err != nil {
		t.Fatal(err)
	}
	for to, subject := range map[string]string{"bob+work@local.test": "detail", "bob+other@local.test": "no folder", "stray@local.test": "catch-all"} {
		msg := "From: me@friend.test\r\nTo: " + to + "\r\nSubject: " + subject + "\r\n\r\nhello\r\n"
		if err := smtp.SendMail(g.address("smtp", "edge"), nil, "me@friend.test", []string{to}, []byte(msg)); err != nil {
			t.Fatal(err)
		}
	}
	waitFor(t, func() (string, bool) {
		in := mailbox(t, g, "bob@local.test", "secret")
		work := fetchAll(t, g, "bob@local.test", "secret", "Work")
		return fmt.Sprint("INBOX has ", in, ", Work ", len(work)),
			in["no folder"] == 1 && in["catch-all"] == 1 && in["detail"] == 0 && len(work) == 1 && subjectOf(work[0]) == "detail"
	})
}

// submitAs sends a message over submission, logged in; "" where it was taken.
func submitAs(t *testing.T, g *gateway, user, password string, to []string, text string) string {
	t.Helper()
	auth := smtp.PlainAuth("", user, password, "127.0.0.1")
	addr := g.address("submission", "submission")
	c, err := smtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Auth(auth); err != nil {
		return err.Error()
	}
	if err := c.Mail(user); err != nil {
		return err.Error()
	}
	for _, a := range to {
		if err := c.Rcpt(a); err != nil {
			return err.Error()
		}
	}
	w, err := c.Data()
	if err != nil {
		return err.Error()
	}
	if _, err := w.Write([]byte("From: " + user + "\r\n" + text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		return strings.ReplaceAll(err.Error(), `"`, "")
	}
	return ""
}
