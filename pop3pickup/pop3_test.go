package pop3pickup

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/vol"
	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/sasl"
)

// people are names and passwords.
type people map[string]string

func (p people) logins() sasl.Logins {
	return sasl.Passwords(func(_ context.Context, user, password string) (mail.Identity, error) {
		if want, ok := p[strings.ToLower(user)]; ok && want == password {
			return mail.Identity{User: strings.ToLower(user)}, nil
		}
		return mail.Identity{}, sasl.ErrCredentials
	})
}

// house is a store with bob in it, and a server over it.
type house struct {
	t     testing.TB
	store *vol.Store
	s     *Server
}

func build(t testing.TB, c Config) *house {
	t.Helper()
	j, err := journal.Open(t.TempDir(), journal.Options{NoSync: true, SegmentSize: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	store := vol.New(j, vol.Options{})
	if err := j.Recover(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := store.Create(context.Background(), "bob@example.com", imapstore.AccountOptions{}); err != nil {
		t.Fatal(err)
	}
	c.Hostname, c.Store, c.IDs = "mx.example.com", store, mail.NewIDs("test", time.Now)
	c.Logins = people{"bob@example.com": "se sam", "new@example.com": "x"}.logins()
	if c.AuthDelay == 0 {
		c.AuthDelay = time.Nanosecond
	}
	h := &house{t: t, store: store, s: New(c)}
	t.Cleanup(func() {
		h.s.Close()
		store.Close()
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func (h *house) inbox() imapstore.Mailbox {
	a, err := h.store.Account("bob@example.com")
	if err != nil {
		h.t.Fatal(err)
	}
	m, err := a.Mailbox("INBOX")
	if err != nil {
		h.t.Fatal(err)
	}
	return m
}

// put adds messages, with LF where CRLF is meant.
func (h *house) put(texts ...string) {
	h.t.Helper()
	for _, s := range texts {
		b := mail.Bytes(strings.ReplaceAll(s, "\n", "\r\n"))
		if _, err := h.inbox().Append(context.Background(), &mail.Message{Blob: b}, nil, time.Now()); err != nil {
			h.t.Fatal(err)
		}
	}
}

// left are the numbers of the lines that tell the messages in INBOX apart.
func (h *house) left() string {
	var out []string
	for _, e := range h.inbox().Snapshot().Messages {
		r, err := e.Message.Open()
		if err != nil {
			h.t.Fatal(err)
		}
		line, _ := bufio.NewReader(r).ReadString('\n')
		r.Close()
		out = append(out, strings.TrimSpace(line))
	}
	return strings.Join(out, " ")
}

// client is one end of a connection to the server.
type client struct {
	t    testing.TB
	conn net.Conn
	r    *bufio.Reader
}

// addrConn is a pipe that claims to come from somewhere.
type addrConn struct {
	net.Conn
	from string
}

type addr string

func (addr) Network() string  { return "tcp" }
func (a addr) String() string { return string(a) }

func (c addrConn) RemoteAddr() net.Addr { return addr(c.from) }

// dial begins a session from an address, over a pipe.
func (h *house) dial(from string) *client {
	ours, theirs := net.Pipe()
	go h.s.start(addrConn{theirs, from}) // a pipe has no buffer for what is said to who is turned away
	c := &client{t: h.t, conn: ours, r: bufio.NewReader(ours)}
	h.t.Cleanup(func() { ours.Close() })
	return c
}

const local, remote = "127.0.0.1:9", "192.0.2.1:9"

// login is dial and a login.
func (h *house) login() *client {
	h.t.Helper()
	c := h.dial(local)
	c.expect("+OK mx.example.com...")
	c.send("USER bob@example.com")
	c.expect("+OK...")
	c.send("PASS se sam")
	c.expect("+OK maildrop...")
	return c
}

func (c *client) send(line string) { c.raw(line + "\r\n") }

func (c *client) raw(s string) {
	c.t.Helper()
	if _, err := c.conn.Write([]byte(s)); err != nil {
		c.t.Fatalf("sending %q: %v", s, err)
	}
}

// expect reads a line; "..." at the end of want stands for anything.
func (c *client) expect(want string) {
	c.t.Helper()
	got, err := c.r.ReadString('\n')
	if err != nil {
		c.t.Fatalf("%v after %q, want %q", err, got, want)
	}
	if !matches(strings.TrimSuffix(got, "\r\n"), want) || !strings.HasSuffix(got, "\r\n") {
		c.t.Fatalf("the server said %q, want %q", got, want)
	}
}

func matches(got, want string) bool {
	if p, ok := strings.CutSuffix(want, "..."); ok {
		return strings.HasPrefix(got, p)
	}
	return got == want
}

// expectEnd reads until the server closes.
func (c *client) expectEnd() {
	c.t.Helper()
	if b, err := c.r.ReadByte(); err == nil {
		c.t.Fatalf("the server said %q..., want the end", b)
	}
}

// certificate is a self-signed one for localhost.
func certificate(t testing.TB) (*tls.Config, *x509.CertPool, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}, pool, der
}

func uids(h *house) []imapstore.UID {
	var us []imapstore.UID
	for _, e := range h.inbox().Snapshot().Messages {
		us = append(us, e.UID)
	}
	return us
}
