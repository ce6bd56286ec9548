package main

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/smtp"
	"strings"
	"testing"
)

// spoofingConfig signs in a rule without any condition.
const spoofingConfig = `
hostname = "gw.test"
domain "local.test" {
  route = route.store
  dkim  = [{ selector = "s1", key = file(%q) }]
}
domain "tenant.test" {
  route      = route.next
  recipients = any
  dkim       = [{ selector = "s1", key = file(%q) }]
}
route "next" {
  to = [%q]
}
listener "edge" {
  address = "127.0.0.1:0"
  policy  = policy.out
}
listener "submission" {
  address = "127.0.0.1:0"
  auth    = accounts
  policy  = policy.out
}
listener "inside" {
  address    = "127.0.0.1:0"
  relay_from = ["127.0.0.0/8"]
  policy     = policy.out
}
policy "out" {
  data {
    sign "dkim" {}
  }
}
`

// TestEchoSpoofing: threats.md "Relay-as-trusted (EchoSpoofing)". Whatever the
// policy says, no domain's key signs for a client that did not authenticate as
// its author or come from a network that the operator trusts: not for a stranger
// at the edge, not for an account that writes as another, or as another tenant.
func TestEchoSpoofing(t *testing.T) {
	next := newSink(t)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	key := writeFile(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(private)})))
	g := serveGateway(t, fmt.Sprintf(spoofingConfig, key, key, next.addr))
	g.addUser("bob@local.test", "secret")
	for i, c := range []struct {
		why, listener, user, author string
		signed                      string
	}{
		{"a stranger", "edge", "", "boss@local.test", ""},
		{"a stranger as a tenant", "edge", "", "boss@tenant.test", ""},
		{"the author", "submission", "bob@local.test", "bob@local.test", "local.test"},
		{"an account as its colleague", "submission", "bob@local.test", "boss@local.test", ""},
		{"an account as a tenant", "submission", "bob@local.test", "boss@tenant.test", ""},
		{"nobody, where accounts are asked for, to a recipient here", "submission", "", "bob@local.test", ""},
		{"the operator's own network", "inside", "", "boss@tenant.test", "tenant.test"},
		{"it, for a domain that has no key", "inside", "", "boss@else.test", ""},
	} {
		subject := fmt.Sprintf("spoof %d", i)
		text := "From: " + c.author + "\r\nTo: x@tenant.test\r\nSubject: " + subject + "\r\nDate: Mon, 23 Nov 2026 12:00:00 +0000\r\n\r\nPay.\r\n"
		kind := "smtp"
		if c.listener == "submission" {
			kind = "submission"
		}
		err := submit(g.address(kind, c.listener), c.user, text)
		if err != nil {
			if c.signed != "" {
				t.Errorf("%s: %v", c.why, err)
			}
			continue // refused: signed even less
		}
		waitFor(t, func() (string, bool) { return c.why + ": it did not arrive", next.subjects()[subject] == 1 })
		next.mu.Lock()
		raw := next.raw[subject]
		next.mu.Unlock()
		if has := strings.Contains(raw, "DKIM-Signature:"); has != (c.signed != "") || has && !strings.Contains(raw, "d="+c.signed+";") {
			t.Errorf("%s: want the signature of %q\n%s", c.why, c.signed, raw)
		}
	}
	for _, must := range []string{"spoof 0", "spoof 2", "spoof 3", "spoof 6"} {
		if next.subjects()[must] != 1 {
			t.Errorf("%s did not arrive at all, which shows nothing", must)
		}
	}
}

// submit sends a message over TLS, as a user who may be nobody.
func submit(addr, user, text string) error {
	c, err := smtp.Dial(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.StartTLS(&tls.Config{InsecureSkipVerify: true}); err != nil { // its own certificate, on loopback
		return err
	}
	if user != "" {
		if err := c.Auth(smtp.PlainAuth("", user, "secret", "127.0.0.1")); err != nil {
			return err
		}
	}
	if err := c.Mail("bob@local.test"); err != nil {
		return err
	}
	if err := c.Rcpt("x@tenant.test"); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte(text)); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return c.Quit()
}
