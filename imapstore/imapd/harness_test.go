package imapd

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"math/big"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/vol"
	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/meter"
	"github.com/forepost/forepost/relay/sasl"
)

const (
	testUser     = "bob@example.com"
	testPassword = "secret"
)

// people is the accounts of the tests: everybody's password is testPassword.
func people(_ context.Context, user, password string) (mail.Identity, error) {
	if user == "broken@example.com" {
		return mail.Identity{}, context.DeadlineExceeded
	}
	if user != testUser && user != "alice@example.com" || password != testPassword {
		return mail.Identity{}, sasl.ErrCredentials
	}
	return mail.Identity{User: user}, nil
}

// logged collects what the server logs.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// house is a server over the embedded engine, with two accounts.
type house struct {
	store imapstore.Store
	srv   *Server
	addr  string
	log   *logged

	client atomic.Pointer[net.TCPAddr] // where clients seem to come from; nil: from where they do
}

// from gives connections the address that a test is about.
type from struct {
	net.Listener
	h *house
}

func (f from) Accept() (net.Conn, error) {
	c, err := f.Listener.Accept()
	if a := f.h.client.Load(); err == nil && a != nil {
		c = foreign{c, a}
	}
	return c, err
}

type foreign struct {
	net.Conn
	addr net.Addr
}

func (f foreign) RemoteAddr() net.Addr { return f.addr }

func openStore(tb testing.TB) imapstore.Store {
	tb.Helper()
	j, err := journal.Open(tb.TempDir(), journal.Options{NoSync: true, SegmentSize: 16 << 20})
	if err != nil {
		tb.Fatal(err)
	}
	store := vol.New(j, vol.Options{})
	if err := j.Recover(context.Background()); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { store.Close(); j.Close() })
	for _, name := range []string{testUser, "alice@example.com"} {
		if err := store.Create(context.Background(), name, imapstore.AccountOptions{}); err != nil {
			tb.Fatal(err)
		}
	}
	return store
}

// serve starts a server; change may set what a test is about.
func serve(tb testing.TB, change func(*Config)) *house {
	tb.Helper()
	h := &house{store: openStore(tb), log: &logged{}}
	c := Config{Name: "test", Hostname: "mx.example.com", Store: h.store, Logins: sasl.Passwords(people),
		IDs: mail.NewIDs("test", time.Now), AuthDelay: time.Microsecond,
		Log: slog.New(slog.NewTextHandler(h.log, nil))}
	if change != nil {
		change(&c)
	}
	srv, err := New(c)
	if err != nil {
		tb.Fatal(err)
	}
	h.srv = srv
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	h.addr = l.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(from{l, h}) }()
	tb.Cleanup(func() {
		srv.Close()
		if err := <-ended; err != ErrClosed {
			tb.Errorf("Serve: %v", err)
		}
	})
	return h
}

func (h *house) inbox(tb testing.TB) imapstore.Mailbox {
	tb.Helper()
	a, err := h.store.Account(testUser)
	if err != nil {
		tb.Fatal(err)
	}
	box, err := a.Mailbox("INBOX")
	if err != nil {
		tb.Fatal(err)
	}
	return box
}

var testDate = time.Date(2026, 3, 9, 12, 30, 0, 0, time.UTC)

// put adds a message to bob's INBOX.
func (h *house) put(tb testing.TB, text []byte, flags ...string) imapstore.UID {
	tb.Helper()
	uid, err := h.inbox(tb).Append(context.Background(), &mail.Message{Blob: mail.Bytes(text)}, flags, testDate)
	if err != nil {
		tb.Fatal(err)
	}
	return uid
}

func crlf(b []byte) []byte {
	return bytes.ReplaceAll(bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
}

func message(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", "messages", name+".eml"))
	if err != nil {
		tb.Fatal(err)
	}
	return crlf(b)
}

var testCert = sync.OnceValue(func() *tls.Config {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
})

// metricPanicsValue is how many sessions have panicked.
func metricPanicsValue(tb testing.TB) string {
	tb.Helper()
	w := httptest.NewRecorder()
	meter.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range strings.Split(w.Body.String(), "\n") {
		if strings.HasPrefix(line, "forepost_imap_panics_total ") {
			return line
		}
	}
	return ""
}
