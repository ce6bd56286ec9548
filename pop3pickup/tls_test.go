package pop3pickup

import (
	"bufio"
	"crypto/tls"
	"testing"
)

// secured is a client after STLS, with the TLS on its side.
func (c *client) secured(t *testing.T, conf *tls.Config) *client {
	t.Helper()
	conn := tls.Client(c.conn, conf)
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	return &client{t: t, conn: conn, r: bufio.NewReader(conn)}
}

// TestSTLS logs in from far away: not before STLS, and after it.
func TestSTLS(t *testing.T) {
	conf, pool, _ := certificate(t)
	h := build(t, Config{TLS: conf})
	c := h.dial(remote)
	c.expect("+OK...")
	c.send("USER bob@example.com")
	c.expect("-ERR Passwords are taken under TLS only...")
	c.send("CAPA")
	for _, l := range []string{"+OK...", "TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "STLS", "EXPIRE NEVER", "IMPLEMENTATION Forepost", "."} {
		c.expect(l)
	}
	c.send("STLS")
	c.expect("+OK begin TLS")
	c = c.secured(t, &tls.Config{RootCAs: pool, ServerName: "localhost"})
	c.send("CAPA") // RFC 2595 section 4: the client asks anew
	for _, l := range []string{"+OK...", "TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "USER", "SASL PLAIN LOGIN", "EXPIRE NEVER", "IMPLEMENTATION Forepost", "."} {
		c.expect(l)
	}
	c.send("STLS")
	c.expect("-ERR TLS is not possible here")
	c.send("PASS se sam")
	c.expect("-ERR Say USER first")
	c.send("USER bob@example.com")
	c.expect("+OK...")
	c.send("PASS se sam")
	c.expect("+OK maildrop...")
}

// TestSTLSInjection has commands in the clear behind STLS, in one segment, as
// somebody on the way could put them: nobody sees them after the handshake (the
// "NO STARTTLS" bugs of 2021).
func TestSTLSInjection(t *testing.T) {
	conf, pool, _ := certificate(t)
	h := build(t, Config{TLS: conf})
	c := h.dial(local)
	c.expect("+OK...")
	c.send("USER mallory")
	c.expect("+OK...")
	c.raw("STLS\r\nUSER mallory\r\nPASS x\r\n")
	c.expect("+OK begin TLS")
	c = c.secured(t, &tls.Config{RootCAs: pool, ServerName: "localhost"})
	c.send("NOOP")
	c.expect("-ERR The command is not possible in this state") // its answer is the first
	c.send("PASS se sam")
	c.expect("-ERR Say USER first") // the USER in the clear is forgotten
}

// TestImplicitTLS speaks TLS from the first octet, and to nobody else; a
// browser's TLS is refused (ALPACA).
func TestImplicitTLS(t *testing.T) {
	conf, pool, _ := certificate(t)
	h := build(t, Config{TLS: conf, Implicit: true})
	c := h.dial(remote).secured(t, &tls.Config{RootCAs: pool, ServerName: "localhost", NextProtos: []string{"pop3"}})
	c.expect("+OK mx.example.com...")
	c.send("AUTH PLAIN AGJvYkBleGFtcGxlLmNvbQBzZSBzYW0=")
	c.expect("+OK maildrop...")

	browser := tls.Client(h.dial(remote).conn, &tls.Config{RootCAs: pool, ServerName: "localhost", NextProtos: []string{"h2", "http/1.1"}})
	if err := browser.Handshake(); err == nil {
		t.Error("a browser's handshake was taken")
	}
	plain := h.dial(remote)
	plain.send("CAPA")
	plain.conn.Close()
}
