package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

// A self-signed certificate lives a year, since scanners and clients take none
// that lives longer than 398 days, and is made anew when two months of it are left.
const (
	selfSignedLife = 397 * 24 * time.Hour
	renewBefore    = 60 * 24 * time.Hour
)

// SelfSigned gives the host's own certificate, kept in dir as selfsigned.crt and
// selfsigned.key (for the owner only). It is made if it is missing, damaged or of
// another name, and again before it ends, at the start and while it is used. Its
// key stays, so that who pinned it (TLSA 3 1 1, RFC 7671 section 5.1) still may.
func SelfSigned(hostname, dir string, o Options) (*Pair, error) {
	if o = o.filled(); o.Name == "" {
		o.Name = hostname
	}
	p := &Pair{o: o, cert: filepath.Join(dir, "selfsigned.crt"), key: filepath.Join(dir, "selfsigned.key"), host: hostname}
	if p.load() == nil && p.loaded.Leaf.VerifyHostname(hostname) == nil && !ending(p.loaded.Leaf, o.Now()) {
		return p, nil
	}
	if err := p.generate(); err != nil {
		return nil, err
	}
	return p, p.load()
}

// ending tells whether a certificate of our own should give way to another: it is
// in its last two months, or of the time when they lived for ten years.
func ending(leaf *x509.Certificate, now time.Time) bool {
	return leaf.NotAfter.Before(now.Add(renewBefore)) || leaf.NotAfter.After(now.Add(selfSignedLife+24*time.Hour))
}

// generate writes a new certificate, with the key that is there or a new one.
func (p *Pair) generate() error {
	var kept *ecdsa.PrivateKey
	if p.loaded != nil {
		kept, _ = p.loaded.PrivateKey.(*ecdsa.PrivateKey)
	}
	c, err := selfSigned([]string{p.host}, p.o.Now(), kept)
	if err == nil {
		err = p.write(c)
	}
	if err != nil {
		return fmt.Errorf("self-signed certificate for %s: %w", p.host, err)
	}
	p.o.Log.Info("a self-signed certificate was made", "name", p.o.Name, "file", p.cert, "expires", c.Leaf.NotAfter, "key", map[bool]string{true: "kept", false: "new"}[kept != nil])
	return nil
}

func (p *Pair) write(c *tls.Certificate) error {
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return err
	}
	if err := writePEM(p.key, "PRIVATE KEY", key); err != nil {
		return err
	}
	return writePEM(p.cert, "CERTIFICATE", c.Certificate[0])
}

// selfSigned makes a certificate for hosts, and a key unless there is one.
func selfSigned(hosts []string, now time.Time, key *ecdsa.PrivateKey) (_ *tls.Certificate, err error) {
	if key == nil {
		if key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return nil, err
		}
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, err
	}
	tmpl := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: hosts[0]},
		DNSNames:     hosts,
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(selfSignedLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

// writePEM replaces a file as a whole. A crash between key and certificate
// leaves a pair that does not fit, which the next start makes anew.
func writePEM(name, block string, der []byte) error {
	f, err := os.OpenFile(name+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	err = pem.Encode(f, &pem.Block{Type: block, Bytes: der})
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}
