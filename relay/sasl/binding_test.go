package sasl

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"slices"
	"testing"

	"github.com/forepost/forepost/relay/sasl/sasltest"
)

// handshake gives both sides' view of a TLS connection.
func handshake(t *testing.T, version uint16) (client, server tls.ConnectionState) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"mx.test"}}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	a, b := net.Pipe()
	t.Cleanup(func() { a.Close(); b.Close() })
	s := tls.Server(a, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MaxVersion: version, SessionTicketsDisabled: true})
	c := tls.Client(b, &tls.Config{InsecureSkipVerify: true, MaxVersion: version})
	done := make(chan error, 1)
	go func() { done <- s.Handshake() }()
	if err := c.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return c.ConnectionState(), s.ConnectionState()
}

func TestChannelBinding(t *testing.T) {
	c13, s13 := handshake(t, tls.VersionTLS13)
	c12, s12 := handshake(t, tls.VersionTLS12)
	for _, c := range []struct {
		name    string
		binding string
		data    []byte
		server  *tls.ConnectionState
		want    error
	}{
		{"TLS 1.3", "tls-exporter", binding(&c13, "tls-exporter"), &s13, nil},
		{"TLS 1.2", "tls-exporter", binding(&c12, "tls-exporter"), &s12, nil},
		{"TLS 1.2", "tls-unique", binding(&c12, "tls-unique"), &s12, nil},
		{"TLS 1.3 has no tls-unique (RFC 9266 section 3)", "tls-unique", []byte("x"), &s13, ErrMalformed},
		{"an unknown one", "tls-server-end-point", []byte("x"), &s13, ErrMalformed},
		{"of another connection: somebody stands between", "tls-exporter", binding(&c12, "tls-exporter"), &s13, ErrCredentials},
	} {
		p := newPeople(t, "pencil", vector.salt, 4096)
		x, err := Begin(t.Context(), SCRAMPlus, p, Client{TLS: c.server})
		if err != nil {
			t.Fatal(err)
		}
		client := &sasltest.Client{User: "user", Password: "pencil", Header: "p=" + c.binding + ",,", Binding: c.data}
		first, _, err := x.Next(client.First())
		var last []byte
		if err == nil {
			final, _ := client.Answer(first)
			last, _, err = x.Next(final)
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s, %s: %v, want %v", c.name, c.binding, err, c.want)
		}
		if err == nil && client.Verify(last) != nil {
			t.Errorf("%s: %v", c.name, client.Verify(last))
		}
	}
}

// -PLUS stands nowhere but under TLS; and where it does, a client that could bind
// and was not offered it was lied to.
func TestOfferAndDowngrade(t *testing.T) {
	_, server := handshake(t, tls.VersionTLS13)
	p := newPeople(t, "pencil", vector.salt, 4096)
	if got := Offer(p, Client{}); !slices.Equal(got, []string{Plain, Login, SCRAM}) {
		t.Errorf("without TLS: %v", got)
	}
	if _, err := Begin(t.Context(), SCRAMPlus, p, Client{}); !errors.Is(err, ErrUnknown) {
		t.Errorf("-PLUS without TLS: %v", err)
	}
	if got := Offer(p, Client{TLS: &server}); !slices.Equal(got, []string{Plain, Login, SCRAM, SCRAMPlus}) {
		t.Errorf("under TLS: %v", got)
	}
	for flag, want := range map[string]error{"n": nil, "y": ErrCredentials} {
		x, err := Begin(t.Context(), SCRAM, p, Client{TLS: &server})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := x.Next([]byte(flag + ",,n=user,r=abc")); !errors.Is(err, want) {
			t.Errorf("the flag %s under TLS: %v, want %v", flag, err, want)
		}
	}
}
