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

// A self-signed certificate lives long, since nobody checks it (on port 25 it
// keeps passive listeners out), and is made anew in its last month.
const (
	selfSignedLife = 10 * 365 * 24 * time.Hour
	renewBefore    = 30 * 24 * time.Hour
)

// SelfSigned gives the host's own certificate, kept in dir as selfsigned.crt and
// selfsigned.key (for the owner only). It is made if it is missing, damaged, of
// another name, or near its end.
func SelfSigned(hostname, dir string, o Options) (*Pair, error) {
	if o = o.filled(); o.Name == "" {
		o.Name = hostname
	}
	cert, key := filepath.Join(dir, "selfsigned.crt"), filepath.Join(dir, "selfsigned.key")
	p, err := Files(cert, key, o)
	if err == nil && p.loaded.Leaf.VerifyHostname(hostname) == nil && NotAfter(p).After(o.Now().Add(renewBefore)) {
		return p, nil
	}
	if err := generate(hostname, cert, key, o.Now()); err != nil {
		return nil, fmt.Errorf("self-signed certificate for %s: %w", hostname, err)
	}
	return Files(cert, key, o)
}

func generate(hostname, certFile, keyFile string, now time.Time) error {
	c, err := selfSigned([]string{hostname}, now)
	if err != nil {
		return err
	}
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		return err
	}
	if err := writePEM(keyFile, "PRIVATE KEY", key); err != nil {
		return err
	}
	return writePEM(certFile, "CERTIFICATE", c.Certificate[0])
}

// selfSigned makes a key and a certificate for hosts.
func selfSigned(hosts []string, now time.Time) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
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
	f, err := os.CreateTemp(filepath.Dir(name), ".new-*") // mode 0600
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
