package inbound

import (
	"context"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/sasl"
	"github.com/forepost/forepost/relay/sasl/sasltest"
)

// keyed is fakeDirectory with SCRAM keys for demo, whose password is "secret".
type keyed struct{ sasl.Passwords }

func (keyed) SCRAM() bool { return true }

func (keyed) Keys(context.Context, sasl.Client, string) (sasl.Keys, error) {
	salt := []byte("0123456789abcdef")
	salted, err := pbkdf2.Key(sha256.New, "secret", salt, 4096, 32)
	sign := func(text string) []byte {
		h := hmac.New(sha256.New, salted)
		h.Write([]byte(text))
		return h.Sum(nil)
	}
	stored := sha256.Sum256(sign("Client Key"))
	return sasl.Keys{Iterations: 4096, Salt: salt, StoredKey: stored[:], ServerKey: sign("Server Key")}, err
}

func (keyed) Proved(_ context.Context, _ sasl.Client, user string, right bool) (mail.Identity, error) {
	if !right || user != "demo" {
		return mail.Identity{}, sasl.ErrCredentials
	}
	return mail.Identity{User: "demo", Addresses: []mail.Address{{Local: "demo", Domain: "example.com"}}}, nil
}

// scram runs an exchange and returns the last reply.
func (c *client) scram(mech string, x *sasltest.Client) string {
	c.t.Helper()
	b64 := base64.StdEncoding
	c.send("AUTH " + mech + " " + b64.EncodeToString(x.First()) + "\r\n")
	r := c.reply()
	if !strings.HasPrefix(r, "334 ") {
		return r
	}
	first, err := b64.DecodeString(r[4:])
	if err != nil {
		c.t.Fatal(err)
	}
	final, err := x.Answer(first)
	if err != nil {
		c.t.Fatal(err)
	}
	c.send(b64.EncodeToString(final) + "\r\n")
	if r = c.reply(); !strings.HasPrefix(r, "334 ") {
		return r
	}
	last, err := b64.DecodeString(r[4:])
	if err != nil {
		c.t.Fatal(err)
	}
	if err := x.Verify(last); err != nil {
		c.t.Error(err)
	}
	c.send("\r\n")
	return c.reply()
}

func (c *client) exporter() []byte {
	c.t.Helper()
	state := c.conn.(*tls.Conn).ConnectionState()
	data, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if err != nil {
		c.t.Fatal(err)
	}
	return data
}

// SCRAM over the wire: without TLS, bound to TLS, and with somebody between.
func TestSCRAM(t *testing.T) {
	s := newSite(func(c *Config) {
		c.TLS, c.Auth, c.Protocol, c.Logins = testTLS(t), true, Submission, keyed{sasl.Passwords(fakeDirectory{}.Authenticate)}
	}).start(t)
	plain := func() *client { return s.dial(t).hello() }
	secure := func() *client {
		c := plain()
		c.say("STARTTLS", "220")
		c.startTLS()
		if got := c.say("EHLO c", "250-mx"); !strings.Contains(got, "AUTH PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS") {
			t.Errorf("EHLO under TLS: %q", got)
		}
		return c
	}
	if got := s.dial(t).hello().say("EHLO c", "250"); strings.Contains(got, "-PLUS") {
		t.Errorf("-PLUS without TLS: %q", got)
	}
	demo := func(password, header string, binding []byte) *sasltest.Client {
		return &sasltest.Client{User: "demo", Password: password, Header: header, Binding: binding}
	}
	c := plain()
	if got := c.scram("SCRAM-SHA-256", demo("secret", "", nil)); got != "235 2.7.0 Authentication succeeded" {
		t.Errorf("SCRAM-SHA-256: %q", got)
	}
	c.say("MAIL FROM:<other@example.com>", "550 5.7.1 The sender address is not one of yours")
	c.say("MAIL FROM:<demo@example.com>", "250")
	c = secure()
	if got := c.scram("SCRAM-SHA-256-PLUS", demo("secret", "p=tls-exporter,,", c.exporter())); !strings.HasPrefix(got, "235") {
		t.Errorf("SCRAM-SHA-256-PLUS: %q", got)
	}
	c, other := secure(), secure()
	for _, x := range []struct {
		why, mech, want string
		c               *sasltest.Client
	}{
		{"a wrong password", "SCRAM-SHA-256", "535 5.7.8", demo("wrong", "", nil)},
		{"the binding of another connection", "SCRAM-SHA-256-PLUS", "535 5.7.8", demo("secret", "p=tls-exporter,,", other.exporter())},
		{"a client that was not shown -PLUS", "SCRAM-SHA-256", "535 5.7.8", demo("secret", "y,,", nil)},
		{"-PLUS that does not bind", "SCRAM-SHA-256-PLUS", "501 5.5.2", demo("secret", "n,,", nil)},
	} {
		if got := c.scram(x.mech, x.c); !strings.HasPrefix(got, x.want) {
			t.Errorf("%s: %q, want %s", x.why, got, x.want)
		}
	}
	c.say("MAIL FROM:<demo@example.com>", "530 5.7.0")
	plain().say("AUTH SCRAM-SHA-256-PLUS cD10bHMtZXhwb3J0ZXIsLA==", "504")
}
