package dkim

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"

	"github.com/forepost/forepost/filters/internal/canon"
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
var ErrRevoked = canon.ErrRevoked

// ParseKeyRecord finds the public key of a record, as verifying reads it:
// *rsa.PublicKey or ed25519.PublicKey.
func ParseKeyRecord(txt string) (crypto.PublicKey, error) {
	k, err := canon.ParseKey(txt)
	if err != nil {
		return nil, err
	}
	return k.Public(), nil
}
