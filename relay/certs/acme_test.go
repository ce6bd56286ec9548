package certs

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/certmagic"
	"github.com/letsencrypt/pebble/v2/ca"
	"github.com/letsencrypt/pebble/v2/db"
	"github.com/letsencrypt/pebble/v2/va"
	"github.com/letsencrypt/pebble/v2/wfe"
	mdns "github.com/miekg/dns"

	"github.com/forepost/forepost/relay/meter"
)

// directory is an ACME server in this process. It looks names up at a server of
// ours, where all of them are 127.0.0.1, and comes there to answer challenges.
type directory struct {
	url        string
	roots      *x509.CertPool // of the directory's own certificate
	issuer     *x509.CertPool // of the certificates that it gives
	http, alpn string         // where it comes to
	refuse     func() bool    // while true, it answers nothing
}

// newDirectory makes one whose certificates are good for so long.
func newDirectory(t *testing.T, valid time.Duration) *directory {
	t.Helper()
	return newDirectoryAt(t, valid, nameServer(t))
}

// newDirectoryAt makes one that looks names up at a server.
func newDirectoryAt(t *testing.T, valid time.Duration, names string) *directory {
	t.Helper()
	t.Setenv("PEBBLE_VA_NOSLEEP", "1")
	t.Setenv("PEBBLE_WFE_NONCEREJECT", "0")
	t.Setenv("PEBBLE_AUTHZREUSE", "0")
	d := &directory{http: freeAddress(t), alpn: freeAddress(t), roots: x509.NewCertPool(), issuer: x509.NewCertPool()}
	quiet := log.New(io.Discard, "", 0)
	store := db.NewMemoryStore()
	authority := ca.New(quiet, store, "", "ecdsa", 0, 1, map[string]ca.Profile{"default": {Description: "test", ValidityPeriod: uint64(valid / time.Second)}})
	validator := va.New(quiet, portOf(d.http), portOf(d.alpn), false, names, store)
	front := wfe.New(quiet, store, validator, authority, []string{"ca.test"}, false, false, 1, 1)
	handler := front.Handler()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.refuse != nil && d.refuse() {
			http.Error(w, "closed for today", http.StatusServiceUnavailable)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	d.url, d.issuer = srv.URL+wfe.DirectoryPath, x509.NewCertPool()
	d.roots.AddCert(srv.Certificate())
	d.issuer.AddCert(authority.GetRootCert(0).Cert)
	return d
}

func (d *directory) acme(dir string, names ...string) ACME {
	return ACME{Names: names, Email: "postmaster@example.test", Directory: d.url, Roots: d.roots, Dir: dir}
}

// nameServer answers that every name is this machine.
func nameServer(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &mdns.Server{Listener: ln, Handler: mdns.HandlerFunc(func(w mdns.ResponseWriter, q *mdns.Msg) {
		m := new(mdns.Msg).SetReply(q)
		if q.Question[0].Qtype == mdns.TypeA {
			m.Answer = []mdns.RR{&mdns.A{Hdr: mdns.RR_Header{Name: q.Question[0].Name, Rrtype: mdns.TypeA, Class: mdns.ClassINET, Ttl: 1}, A: net.IPv4(127, 0, 0, 1)}}
		}
		w.WriteMsg(m)
	})}
	go srv.ActivateAndServe()
	t.Cleanup(func() { srv.Shutdown() })
	return ln.Addr().String()
}

// freeAddress is one that was free a moment ago: challenges are answered at
// addresses that the directory must know beforehand.
func freeAddress(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func portOf(address string) int {
	_, p, _ := net.SplitHostPort(address)
	n, _ := strconv.Atoi(p)
	return n
}

// await asks until it is so.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !so() {
		select {
		case <-ctx.Done():
			t.Fatal("it did not come to this: " + what)
		case <-tick.C:
		}
	}
}

// trusted tells whether a client that trusts the directory's root takes the
// server of that name.
func (d *directory) trusted(s Source, name string) error {
	_, err := meet(Config(func() []Source { return []Source{s} }), &tls.Config{ServerName: name, RootCAs: d.issuer})
	return err
}

// syncLog is a log that is read while it is written.
type syncLog struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *syncLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *syncLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// TestACME: certificates come over either challenge, one for each name; keys are
// the owner's alone; the next start finds them and asks nobody.
func TestACME(t *testing.T) {
	for _, challenge := range []string{"http-01", "tls-alpn-01"} {
		t.Run(challenge, func(t *testing.T) {
			d := newDirectory(t, 24*time.Hour)
			dir := t.TempDir()
			a := d.acme(dir, "mx.example.test", "imap.example.test")
			if a.HTTP = d.http; challenge == "tls-alpn-01" {
				a.HTTP, a.TLSALPN = "", d.alpn
			}
			m, err := FromACME(a, Options{Name: "main"})
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range a.Names {
				await(t, name+" has a certificate", func() bool { return d.trusted(m, name) == nil })
			}
			m.Close()
			ownersOnly(t, dir)

			d.refuse = func() bool { return true }
			if m, err = FromACME(a, Options{Name: "main"}); err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			await(t, "what was kept is used again", func() bool { return d.trusted(m, "imap.example.test") == nil })
		})
	}
}

// ownersOnly: nobody else reads a key.
func ownersOnly(t *testing.T, dir string) {
	t.Helper()
	keys := 0
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		st, err := os.Stat(path)
		if err == nil && st.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v", path, st.Mode())
		}
		if strings.HasSuffix(path, ".key") {
			keys++
		}
		return err
	})
	if err != nil || keys != 3 { // the account's and two hosts'
		t.Errorf("%d keys, %v", keys, err)
	}
}

// TestSelfSignedUntilACME: while the directory is away a certificate of our own
// serves, for every name, and the log says so; it gives way by itself.
func TestSelfSignedUntilACME(t *testing.T) {
	d := newDirectory(t, 24*time.Hour)
	var mu sync.Mutex
	away := true
	d.refuse = func() bool { mu.Lock(); defer mu.Unlock(); return away }
	var out syncLog
	a := d.acme(t.TempDir(), "mx.example.test", "imap.example.test")
	a.HTTP = d.http
	m, err := FromACME(a, Options{Name: "main", Log: slog.New(slog.NewTextHandler(&out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if cs := m.Certificates(); len(cs) != 1 || cs[0].Leaf.VerifyHostname("imap.example.test") != nil || d.trusted(m, "mx.example.test") == nil {
		t.Fatal("no certificate of our own serves meanwhile")
	}
	await(t, "the log says what serves", func() bool { return strings.Contains(out.String(), "a self-signed one serves") })
	await(t, "the log says that it failed, and why", func() bool {
		return strings.Contains(out.String(), "could not be obtained") && strings.Contains(out.String(), "503")
	})
}

// TestRenewal: a certificate that nears its end is replaced in the background;
// the metric follows.
func TestRenewal(t *testing.T) {
	d := newDirectory(t, 6*time.Second)
	a := d.acme(t.TempDir(), "mx.example.test")
	a.HTTP, a.renewEvery = d.http, 100*time.Millisecond
	m, err := FromACME(a, Options{Name: "main"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	await(t, "there is a certificate", func() bool { return m.newest("mx.example.test") != nil })
	first := m.newest("mx.example.test").Leaf
	await(t, "it is renewed", func() bool { return m.newest("mx.example.test").Leaf.SerialNumber.Cmp(first.SerialNumber) != 0 })
	if second := m.newest("mx.example.test").Leaf; !second.NotAfter.After(first.NotAfter) {
		t.Errorf("renewed until %v, after %v", second.NotAfter, first.NotAfter)
	}
	if err := m.Refresh(); err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	meter.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	line := regexp.MustCompile(`(?m)^forepost_certificate_expiry_timestamp_seconds\{name="main/mx.example.test"\} (.*)$`).FindStringSubmatch(w.Body.String())
	if len(line) == 0 {
		t.Fatal("no metric")
	}
	if at, err := strconv.ParseFloat(line[1], 64); err != nil || int64(at) <= first.NotAfter.Unix() {
		t.Errorf("the metric says %s, the first certificate ended at %d", line[1], first.NotAfter.Unix())
	}
}

// TestACMEAfterGivingUp: where the client gives up, since it takes an error for lasting, the
// certificate is asked for again later, without a restart.
func TestACMEAfterGivingUp(t *testing.T) {
	d := newDirectory(t, 24*time.Hour)
	var out syncLog
	var tries atomic.Int64
	a := d.acme(t.TempDir(), "mx.example.test")
	a.HTTP, a.again = d.http, 10*time.Millisecond
	a.obtain = func(m *Managed, ctx context.Context, name string) error {
		if tries.Add(1) < 3 {
			return certmagic.ErrNoRetry{Err: errors.New("the directory will have none of it")}
		}
		return m.magic.ObtainCertAsync(ctx, name)
	}
	m, err := FromACME(a, Options{Name: "main", Log: slog.New(slog.NewTextHandler(&out, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	await(t, "there is a certificate after all", func() bool { return d.trusted(m, "mx.example.test") == nil })
	if n := strings.Count(out.String(), "it is asked for again later"); n != 2 || !strings.Contains(out.String(), "will have none of it") {
		t.Errorf("told %d times:\n%s", n, out.String())
	}
}
