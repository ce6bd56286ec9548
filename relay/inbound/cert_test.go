package inbound

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/sasl"
)

func testCertificate(t testing.TB) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"mx.example.com"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// Accepts knows user@testserver.
func (testserver) Accepts(_ context.Context, to mail.Address) (mail.Acceptance, error) {
	if to.Domain != "testserver" {
		return mail.Acceptance{}, nil
	}
	return mail.Acceptance{Ours: true, Known: to.Local == "user", Domain: to.Domain, Final: []mail.Address{to}}, nil
}

// Authenticate knows user@testserver, too.
func (testserver) Authenticate(_ context.Context, user, password string) (mail.Identity, error) {
	if user == "user@testserver" && password == "secretpassword" {
		return mail.Identity{User: user}, nil
	}
	return mail.Identity{}, sasl.ErrCredentials
}
