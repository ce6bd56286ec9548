package canon

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/forepost/forepost/relay/mail"
)

// SigningKey is one private key of a domain.
type SigningKey struct {
	Selector string
	PEM      string        // the private key, PKCS #1 or PKCS #8
	Signer   crypto.Signer // the key itself, where there is no PEM
}

// Open checks the selector and the size of the key and gives the key.
func (k SigningKey) Open() (crypto.Signer, error) {
	if _, err := mail.ParseDomain(k.Selector); err != nil {
		return nil, errors.New("the selector is not a DNS name")
	}
	key := k.Signer
	if key == nil {
		var err error
		if key, err = ParsePrivate(k.PEM); err != nil {
			return nil, err
		}
	}
	if pub, ok := key.Public().(*rsa.PublicKey); ok && pub.N.BitLen() < minBits {
		return nil, fmt.Errorf("RSA with %d bits is too short; make one with 2048", pub.N.BitLen())
	}
	return key, nil
}

// ParsePrivate reads a private key in PEM: RSA (PKCS #1 or #8) or Ed25519 (PKCS
// #8).
func ParsePrivate(text string) (crypto.Signer, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("there is no PEM block in it; openssl genpkey makes one")
	}
	if k, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return k, nil
	}
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("it is neither PKCS #1 nor PKCS #8: %w", err)
	}
	switch k := k.(type) {
	case *rsa.PrivateKey:
		return k, nil
	case ed25519.PrivateKey:
		return k, nil
	}
	return nil, fmt.Errorf("%T is no key for DKIM; RSA and Ed25519 are", k)
}

// Algorithm is what a= says of the signatures of a key.
func Algorithm(key crypto.Signer) string {
	if _, ok := key.Public().(ed25519.PublicKey); ok {
		return "ed25519-sha256"
	}
	return "rsa-sha256"
}

// SignSum signs a SHA-256 sum: RSA by PKCS #1 v1.5 (RFC 6376 section 3.3.1),
// Ed25519 as any other octets (RFC 8463 section 3).
func SignSum(key crypto.Signer, sum [sha256.Size]byte) ([]byte, error) {
	if _, ok := key.Public().(ed25519.PublicKey); ok {
		return key.Sign(rand.Reader, sum[:], crypto.Hash(0))
	}
	return key.Sign(rand.Reader, sum[:], crypto.SHA256)
}
