package sts

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/dns"
)

// world is a policy host on loopback with a real certificate, a DNS and a clock.
type world struct {
	t     *testing.T
	o     Options
	mu    sync.Mutex
	zone  *dns.Zone
	serve http.HandlerFunc
	asked int
	clock time.Time
}

func (w *world) Query(ctx context.Context, name string, qtype uint16) (dns.Answer, error) {
	w.mu.Lock()
	z := w.zone
	w.mu.Unlock()
	return z.Query(ctx, name, qtype)
}

// at sets what stands at _mta-sts.a.test: an ID, "" for no record, or "servfail".
func (w *world) at(id string) {
	names := dns.Names{"mta-sts.a.test": {"A": []string{"192.0.2.1"}}}
	switch id {
	case "":
	case "servfail":
		names["_mta-sts.a.test"] = map[string]any{"error": "servfail"}
	default:
		names["_mta-sts.a.test"] = map[string]any{"TXT": []string{"v=STSv1; id=" + id}}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.zone = dns.MustZone(names)
}

// says sets what the policy host answers.
func (w *world) says(f http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.serve = f
}

func text(body string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprint(rw, body)
	}
}

func policy(mode string, age int) http.HandlerFunc {
	return text(fmt.Sprintf("version: STSv1\nmode: %s\nmx: mx.a.test\nmax_age: %d\n", mode, age))
}

func newWorld(t *testing.T, certNames ...string) *world {
	t.Helper()
	w := &world{t: t, clock: time.Now(), serve: policy("enforce", 86400)}
	w.at("1")
	cert, pool := certificate(t, certNames)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.asked++
		f := w.serve
		w.mu.Unlock()
		if r.Host != "mta-sts.a.test" || r.URL.Path != "/.well-known/mta-sts.txt" {
			t.Errorf("asked for %s%s", r.Host, r.URL.Path)
		}
		f(rw, r)
	}))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	w.o = Options{Dir: filepath.Join(t.TempDir(), "sts"), DNS: w, TLS: &tls.Config{RootCAs: pool}, Now: func() time.Time { return w.clock },
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			if address != "mta-sts.a.test:443" {
				t.Errorf("connected to %s", address)
			}
			return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
		}}
	return w
}

func certificate(t *testing.T, names []string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(100 * 24 * time.Hour), IsCA: true, BasicConstraintsValid: true, DNSNames: names}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func (w *world) open() *Cache {
	w.t.Helper()
	c, err := Open(w.o)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// look is what is known of a.test: "enforce 1", and the word for what failed.
func (w *world) look(c *Cache) string {
	f := c.Policy(w.t.Context(), "a.test")
	s := strings.TrimSpace(string(f.Mode) + " " + f.ID)
	if f.Err != nil {
		s += " " + f.Err.Result + ": " + f.Err.Text
	}
	return s
}

func (w *world) check(c *Cache, why, want string, asked int) {
	w.t.Helper()
	got := w.look(c)
	if head, more := strings.CutSuffix(want, "..."); got != want && !(more && strings.HasPrefix(got, head)) {
		w.t.Errorf("%s: %s, want %s", why, got, want)
	}
	if w.asked != asked {
		w.t.Errorf("%s: the policy host was asked %d times, want %d", why, w.asked, asked)
	}
}

// TestLifeOfAPolicy: found, kept, changed, gone, ended; over a restart.
func TestLifeOfAPolicy(t *testing.T) {
	w := newWorld(t, "mta-sts.a.test")
	c := w.open()
	w.check(c, "the first time", "enforce 1", 1)
	w.check(c, "the same ID", "enforce 1", 1)
	w.says(policy("testing", 86400))
	w.check(c, "a change that is not announced", "enforce 1", 1)
	w.at("2")
	w.check(c, "a new ID", "testing 2", 2)
	w.says(policy("none", 86400))
	w.at("3")
	w.check(c, "taken back in order (RFC 8461 section 2.1)", "none 3", 3)
	w.says(policy("enforce", 86400))
	w.at("4")
	w.check(c, "and set again", "enforce 4", 4)

	w.says(http.NotFound)
	w.at("")
	w.check(c, "the record is gone: who took it away does not take the policy", "enforce 4", 4)
	w.at("servfail")
	w.check(c, "the DNS fails", "enforce 4 : the DNS could not tell: ...", 4)
	w.at("5")
	w.check(c, "a new one cannot be had: the old one holds", "enforce 4 sts-policy-fetch-error: https://mta-sts.a.test/.well-known/mta-sts.txt answered 404", 5)
	w.check(c, "and the host is left alone", "enforce 4 sts-policy-fetch-error...", 5)

	c = w.open()
	w.at("")
	w.check(c, "after a restart", "enforce 4", 5)
	w.clock = w.clock.Add(23 * time.Hour)
	w.check(c, "an hour before its end", "enforce 4", 5)
	w.clock = w.clock.Add(2 * time.Hour)
	w.check(c, "after its end", "none", 5)
	w.check(w.open(), "the file is gone, too", "none", 5)
	if left, _ := os.ReadDir(w.o.Dir); len(left) != 0 {
		t.Errorf("left on the disk: %v", left)
	}
}

// TestRefresh: policies are renewed before they end, and a host that fails keeps
// them until then.
func TestRefresh(t *testing.T) {
	w := newWorld(t, "mta-sts.a.test")
	c := w.open()
	w.check(c, "the first time", "enforce 1", 1)
	c.Refresh(t.Context())
	w.check(c, "it is young", "enforce 1", 1)
	w.clock = w.clock.Add(13 * time.Hour)
	c.Refresh(t.Context())
	w.check(c, "half its time is over", "enforce 1", 2)
	w.clock = w.clock.Add(23 * time.Hour)
	w.says(http.NotFound)
	c.Refresh(t.Context())
	c.Refresh(t.Context())
	w.check(c, "a failure keeps it; the host is left alone for some minutes", "enforce 1", 3)
	w.at("")
	w.says(policy("testing", 86400))
	w.clock = w.clock.Add(again)
	c.Refresh(t.Context())
	w.check(c, "the host still has one, whatever became of the record", "testing 1", 4)
}

// TestBadPolicyHosts: what is not a policy asks nothing, and is told.
func TestBadPolicyHosts(t *testing.T) {
	fetch := "none sts-policy-fetch-error: "
	for _, c := range []struct {
		why   string
		serve http.HandlerFunc
		want  string
	}{
		{"a redirect is not followed", func(rw http.ResponseWriter, r *http.Request) {
			http.Redirect(rw, r, "https://mta-sts.a.test/.well-known/mta-sts.txt", http.StatusMovedPermanently)
		}, fetch + "https://mta-sts.a.test/.well-known/mta-sts.txt answered 301"},
		{"too large", text(good + strings.Repeat("x: y\n", 14000)), "none sts-policy-invalid: ..."},
		{"endless", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/plain")
			for {
				if _, err := rw.Write(make([]byte, 4096)); err != nil {
					return
				}
			}
		}, "none sts-policy-invalid: ..."},
		{"a web page", func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Content-Type", "text/html")
			fmt.Fprint(rw, good)
		}, fetch + "..."},
		{"an invalid one", text("version: STSv1\nmode: enforce\n"), "none sts-policy-invalid: ..."},
	} {
		w := newWorld(t, "mta-sts.a.test")
		w.says(c.serve)
		w.check(w.open(), c.why, c.want, 1)
	}
}

// TestPolicyHostCertificate: a policy of another name, or from nobody we trust, is
// none.
func TestPolicyHostCertificate(t *testing.T) {
	w := newWorld(t, "mx.a.test", "a.test")
	w.check(w.open(), "another name", "none sts-webpki-invalid: ...", 0)
	w = newWorld(t, "mta-sts.a.test")
	w.o.TLS = nil
	w.check(w.open(), "an unknown root", "none sts-webpki-invalid: ...", 0)
}

// TestInwardAddresses: a stranger's policy host never leads to what is behind us.
func TestInwardAddresses(t *testing.T) {
	w := newWorld(t, "mta-sts.a.test")
	w.o.Dial = nil
	for _, ip := range []string{"127.0.0.1", "10.0.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0"} {
		w.zone = dns.MustZone(dns.Names{"_mta-sts.a.test": {"TXT": []string{"v=STSv1; id=1"}}, "mta-sts.a.test": {"A": []string{ip}}})
		got := w.look(w.open())
		if !strings.HasPrefix(got, "none sts-policy-fetch-error:") || !strings.Contains(got, "no address of mta-sts.a.test is on the open internet") {
			t.Errorf("%s: %s", ip, got)
		}
	}
	for ip, want := range map[string]bool{"192.0.2.1": true, "2001:db8::1": true, "::1": false, "fe80::1": false, "fd00::1": false, "::ffff:10.0.0.1": false,
		"64:ff9b::a00:1": false, "2002:a00:1::": false, "::10.0.0.1": false, "ff02::1": false, "255.255.255.255": false} {
		if got := open(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: %v", ip, got)
		}
	}
}

// TestDamagedFiles: what cannot be read is passed over, and removed.
func TestDamagedFiles(t *testing.T) {
	w := newWorld(t, "mta-sts.a.test")
	w.check(w.open(), "the first time", "enforce 1", 1)
	for name, text := range map[string]string{"a.test": "{\"domain\":\"a.te", "b.test": "{}", ".new-1": "x"} {
		if err := os.WriteFile(filepath.Join(w.o.Dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := w.open()
	if left, _ := os.ReadDir(w.o.Dir); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
	w.check(c, "it is fetched once more", "enforce 1", 2)
}

func TestNames(t *testing.T) {
	c := newWorld(t).open()
	for _, domain := range []string{"[192.0.2.1]", "localhost", "../x.test", ".new-x.test", "A.test", ""} {
		if f := c.Policy(t.Context(), domain); f.Mode != None || f.Err != nil || isName(domain) {
			t.Errorf("%q: %+v", domain, f)
		}
	}
}
