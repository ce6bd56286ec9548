// Package dkimkeys keeps the DKIM keys of domains in a directory: makes them,
// says what is to be published for them, looks whether it is, and remembers how
// far a rotation has come.
package dkimkeys

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"

	"github.com/forepost/forepost/filters/dkim"
)

// Key is one key of a domain.
type Key struct {
	Domain   string
	Selector string
	File     string // where the private key lies, "" where that is not known
	Signer   crypto.Signer
}

// Name is where the key is published, RFC 6376 section 3.6.2.1.
func (k Key) Name() string { return k.Selector + "._domainkey." + k.Domain }

// Algorithm is "rsa-2048" or "ed25519".
func (k Key) Algorithm() string {
	if r, ok := k.Signer.Public().(*rsa.PublicKey); ok {
		return fmt.Sprintf("rsa-%d", r.N.BitLen())
	}
	return "ed25519"
}

// Record is the text to publish.
func (k Key) Record() string {
	txt, err := dkim.KeyRecord(k.Signer.Public())
	if err != nil {
		return "" // cannot be: a Key has one of the two sorts
	}
	return txt
}

// Sort is a sort of key that can be made.
type Sort string

// The sorts. Receivers that do not know Ed25519 (RFC 8463) read the other
// signature, so that a domain has one key of each.
const (
	RSA     Sort = "rsa"
	Ed25519 Sort = "ed25519"
)

// Bounds of an RSA key, in bits. More does not fit the answers that resolvers
// like, less is no longer trusted (RFC 8301 section 3.2).
const (
	MinBits     = 2048
	MaxBits     = 4096
	DefaultBits = 2048
)

// Generate makes a private key.
func Generate(s Sort, bits int) (crypto.Signer, error) {
	switch s {
	case RSA:
		if bits < MinBits || bits > MaxBits {
			return nil, fmt.Errorf("an RSA key has %d to %d bits, not %d", MinBits, MaxBits, bits)
		}
		return rsa.GenerateKey(rand.Reader, bits)
	case Ed25519:
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return key, err
	}
	return nil, fmt.Errorf("%q is no sort of key: rsa and ed25519 are", s)
}

// encode is a private key in PEM, PKCS #8.
func encode(key crypto.Signer) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Config is what stands in the domain's block for keys to sign with.
func Config(keys []Key) string {
	var b strings.Builder
	b.WriteString("dkim = [\n")
	for _, k := range keys {
		fmt.Fprintf(&b, "  { selector = %s, key = file(%s) },\n", hclString(k.Selector), hclString(k.File))
	}
	b.WriteString("]\n")
	return b.String()
}

// hclString is a string as HCL writes it: ${ and %{ would be templates.
func hclString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "${", "$${", "%{", "%%{", "\n", `\n`).Replace(s) + `"`
}
