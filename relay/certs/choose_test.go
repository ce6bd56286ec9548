package certs

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// one is a source of one certificate.
type one struct{ c *tls.Certificate }

func (o one) Certificates() []*tls.Certificate { return []*tls.Certificate{o.c} }
func (o one) Refresh() error                   { return nil }
func (o one) Close()                           {}

func source(t *testing.T, hosts ...string) Source {
	t.Helper()
	c, err := selfSigned(hosts, time.Now(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return one{c}
}

func rsaSource(t *testing.T, host string) Source {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: host}, DNSNames: []string{host},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return one{&tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}}
}

// TestServerName: each name has its certificate; who names none, or one that is
// nobody's, gets the default.
func TestServerName(t *testing.T) {
	list := []Source{source(t, "mx.example.com"), source(t, "mail.example.net", "imap.example.net"), source(t, "*.example.org")}
	config := Config(func() []Source { return list })
	for name, want := range map[string]string{
		"": "mx.example.com", "mx.example.com": "mx.example.com", "MX.Example.COM": "mx.example.com", "imap.example.net": "mail.example.net",
		"a.example.org": "*.example.org", "a.b.example.org": "mx.example.com", "nobody.test": "mx.example.com",
	} {
		state, err := meet(config, &tls.Config{InsecureSkipVerify: true, ServerName: name})
		if err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if got := state.PeerCertificates[0].DNSNames[0]; got != want {
			t.Errorf("%q got the certificate of %s, not of %s", name, got, want)
		}
	}
	list = []Source{source(t, "later.test")}
	state, err := meet(config, &tls.Config{InsecureSkipVerify: true, ServerName: "mx.example.com"})
	if err != nil || state.PeerCertificates[0].DNSNames[0] != "later.test" {
		t.Error("a reload is not seen by a configuration that is in use", err)
	}
}

// TestTwoKeys: a client that cannot use the first certificate of a name gets the
// second, with and without naming it.
func TestTwoKeys(t *testing.T) {
	list := []Source{source(t, "mx.test"), rsaSource(t, "mx.test")}
	config := Config(func() []Source { return list })
	for _, name := range []string{"", "mx.test"} {
		old := &tls.Config{InsecureSkipVerify: true, ServerName: name, MaxVersion: tls.VersionTLS12,
			CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}}
		state, err := meet(config, old)
		if err != nil || state.PeerCertificates[0].PublicKeyAlgorithm != x509.RSA {
			t.Errorf("name %q: a client that knows RSA only: %v", name, err)
		}
		if state, err = meet(config, &tls.Config{InsecureSkipVerify: true, ServerName: name}); err != nil || state.PeerCertificates[0].PublicKeyAlgorithm != x509.ECDSA {
			t.Errorf("name %q: the first certificate was not preferred: %v", name, err)
		}
	}
}

// TestCiphers: what scanners complain of cannot be agreed on.
func TestCiphers(t *testing.T) {
	list := []Source{rsaSource(t, "mx.test"), source(t, "mx.test")}
	config := Config(func() []Source { return list })
	good := map[uint16]bool{}
	for _, id := range suites {
		good[id] = true
	}
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if s.SupportedVersions[0] == tls.VersionTLS13 {
			continue
		}
		weak := strings.Contains(s.Name, "_CBC_") || strings.Contains(s.Name, "RC4") || strings.HasPrefix(s.Name, "TLS_RSA_")
		_, err := meet(config, &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{s.ID}})
		if (err == nil) == weak || good[s.ID] == weak {
			t.Errorf("%s: weak %v, listed %v: %v", s.Name, weak, good[s.ID], err)
		}
	}
}

// TestBrokenIsToldOnce: of files that cannot be used the log says which and why,
// once, and once more when they break in another way.
func TestBrokenIsToldOnce(t *testing.T) {
	dir, c := t.TempDir(), newClock()
	first := ownPair(t, "mx.test", dir, c)
	var log bytes.Buffer
	cert, key := filepath.Join(dir, "selfsigned.crt"), filepath.Join(dir, "selfsigned.key")
	p, err := Files(cert, key, Options{Name: "main", Now: c.now, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(key, []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		c.at = c.at.Add(lookAgain)
		if got := p.Certificates()[0].Leaf; !got.Equal(first.loaded.Leaf) {
			t.Fatal("the certificate in use did not stay")
		}
	}
	if n := strings.Count(log.String(), "cannot be used"); n != 1 || !strings.Contains(log.String(), key) || !strings.Contains(log.String(), "name=main") {
		t.Errorf("told %d times:\n%s", n, log.String())
	}
	os.Remove(cert)
	for range 3 {
		c.at = c.at.Add(lookAgain)
		p.Certificates()
	}
	if n := strings.Count(log.String(), "cannot be used"); n != 2 || !strings.Contains(log.String(), "no such file") {
		t.Errorf("told %d times:\n%s", n, log.String())
	}
}
