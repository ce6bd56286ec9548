package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
)

// KeyRecord is the text that a domain publishes for a public key: RFC 6376
// section 3.6.1, RFC 8463 section 4.
func KeyRecord(pub crypto.PublicKey) (string, error) {
	switch pub := pub.(type) {
	case ed25519.PublicKey:
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(pub), nil
	case *rsa.PublicKey:
		der, err := x509.MarshalPKIXPublicKey(pub)
		if err != nil {
			return "", err
		}
		return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der), nil
	}
	return "", fmt.Errorf("%T is no key for DKIM; RSA and Ed25519 are", pub)
}

// ErrRevoked says that a record has an empty p=: the key counts no more (RFC
// 6376 section 3.6.1).
var ErrRevoked = errors.New("the key is revoked: p= is empty")

// ParseKeyRecord finds the public key of a record: *rsa.PublicKey or
// ed25519.PublicKey.
func ParseKeyRecord(txt string) (crypto.PublicKey, error) {
	t, ok := tags(txt)
	if v, has := t["v"]; !ok || has && v != "DKIM1" {
		return nil, errors.New("it is not a key record of DKIM")
	}
	p, ok := t["p"]
	if !ok {
		return nil, errors.New("it has no p=")
	}
	if p = squeeze(p); p == "" {
		return nil, ErrRevoked
	}
	b, err := base64.StdEncoding.DecodeString(p)
	if err != nil {
		return nil, errors.New("p= is not in base64")
	}
	switch t["k"] {
	case "", "rsa":
		return parseRSA(b)
	case "ed25519":
		if len(b) != ed25519.PublicKeySize {
			return nil, fmt.Errorf("an Ed25519 key has %d octets, and p= has %d", ed25519.PublicKeySize, len(b))
		}
		return ed25519.PublicKey(b), nil
	}
	return nil, errors.New("k= is neither rsa nor ed25519")
}

// parseRSA takes a SubjectPublicKeyInfo, as everybody publishes it, and the bare
// RSAPublicKey that RFC 6376 speaks of.
func parseRSA(b []byte) (crypto.PublicKey, error) {
	if pub, err := x509.ParsePKIXPublicKey(b); err == nil {
		if r, ok := pub.(*rsa.PublicKey); ok {
			return r, nil
		}
		return nil, errors.New("p= is a key of another kind than k= says")
	}
	if r, err := x509.ParsePKCS1PublicKey(b); err == nil {
		return r, nil
	}
	return nil, errors.New("p= is no RSA key")
}
