package canon

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/forepost/forepost/relay/dns"
)

// MaxRecord is how long a key record may be, in octets: enough for RSA with
// maxBits.
const MaxRecord = 2048

// The limits of RSA keys. What is larger only costs time; RFC 8301 section 3.2
// forbids what is smaller.
const (
	minBits = 1024
	maxBits = 8192
)

// Key is a public key of a domain, RFC 6376 section 3.6.1.
type Key struct {
	Kind  string // rsa, ed25519
	Bits  int
	Flags []string // t=
	// of the record: which hashes and services it is for, nil for all
	hashes, services []string
	public           crypto.PublicKey
}

// ErrRevoked says that p= is empty: the key counts no more.
var ErrRevoked = errors.New("the key is revoked")

// Public is the key itself, *rsa.PublicKey or ed25519.PublicKey.
func (k Key) Public() crypto.PublicKey { return k.public }

// ParseKey reads a key record. It refuses one of an odd size, so that nobody
// makes us work for a key that no signer needs.
func ParseKey(record string) (Key, error) {
	k := Key{Kind: "rsa"}
	if len(record) > MaxRecord {
		return k, errors.New("the key is too long")
	}
	t, ok := Tags(record)
	if !ok {
		return k, errors.New("the key record is not a list of tags")
	}
	if v, ok := t["v"]; ok && v != "DKIM1" {
		return k, errors.New("the key record has an unknown version")
	} else if ok && !strings.HasPrefix(strings.TrimSpace(record), "v") {
		return k, errors.New("v= of the key record is not its first tag") // a MUST of RFC 6376 section 3.6.1
	}
	if t["k"] != "" {
		k.Kind = t["k"]
	}
	k.Flags = list(t["t"])
	k.hashes, k.services = list(t["h"]), list(t["s"])
	p := Squeeze(t["p"])
	if p == "" {
		return k, ErrRevoked
	}
	der, err := base64.StdEncoding.DecodeString(p)
	if err != nil {
		return k, errors.New("the key is not in base64")
	}
	return k, k.read(der)
}

func list(s string) []string {
	if s = Squeeze(s); s == "" {
		return nil
	}
	return strings.Split(s, ":")
}

// read takes the key itself: a SubjectPublicKeyInfo or, as RFC 6376 allows in
// one place (erratum 3017), an RSAPublicKey; of Ed25519 the 32 octets (RFC 8463
// section 4).
func (k *Key) read(der []byte) error {
	switch k.Kind {
	case "ed25519":
		if len(der) != ed25519.PublicKeySize {
			return fmt.Errorf("an Ed25519 key has %d octets, not %d", ed25519.PublicKeySize, len(der))
		}
		k.public, k.Bits = ed25519.PublicKey(der), 256
		return nil
	case "rsa":
	default:
		return errors.New("the key is of an unknown kind")
	}
	pub, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		pub, err = x509.ParsePKCS1PublicKey(der)
	}
	r, ok := pub.(*rsa.PublicKey)
	if err != nil || !ok {
		return errors.New("the key is no RSA key")
	}
	k.public, k.Bits = r, r.N.BitLen()
	if k.Bits < minBits || k.Bits > maxBits {
		return fmt.Errorf("the key has %d bits; %d to %d are taken", k.Bits, minBits, maxBits)
	}
	return nil
}

// Verify checks a signature of a SHA-256 sum by an algorithm, rsa-sha256 or
// ed25519-sha256.
func (k Key) Verify(algorithm string, sum [sha256.Size]byte, sig []byte) error {
	kind, hash, _ := strings.Cut(algorithm, "-")
	switch {
	case hash != "sha256":
		return errors.New("the algorithm is not one that is taken")
	case kind != k.Kind:
		return errors.New("the key is not of the algorithm's kind")
	case k.hashes != nil && !slices.Contains(k.hashes, hash):
		return errors.New("the key is not for this hash")
	case k.services != nil && !slices.Contains(k.services, "*") && !slices.Contains(k.services, "email"):
		return errors.New("the key is not for mail")
	}
	switch pub := k.public.(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum[:], sig)
	case ed25519.PublicKey:
		if ed25519.Verify(pub, sum[:], sig) {
			return nil
		}
	}
	return errors.New("the signature does not verify")
}

// LookupKey asks for the key of a selector. why says that there is none that can
// be used; err says that the DNS could not tell.
func LookupKey(ctx context.Context, r dns.Resolver, selector, domain, algorithm string) (k Key, why string, err error) {
	txts, err := dns.LookupTXT(ctx, r, KeyName(selector, domain))
	if dns.IsTemporary(err) {
		return k, "", err
	}
	if txts = Fitting(txts, algorithm); len(txts) != 1 {
		return k, fmt.Sprintf("%s has %d keys where one is", KeyName(selector, domain), len(txts)), nil
	}
	if k, err = ParseKey(txts[0]); err != nil {
		why = err.Error()
	}
	return k, why, nil
}

// KeyName is where the key of a selector stands.
func KeyName(selector, domain string) string { return selector + "._domainkey." + domain }

// Fitting leaves, of several records, those with a key of the algorithm's kind.
// RFC 6376 section 3.6.2.2 leaves open what several mean; domains that change
// from RSA to Ed25519 under one selector have them.
func Fitting(txts []string, algorithm string) []string {
	if len(txts) < 2 {
		return txts
	}
	kind, _, _ := strings.Cut(algorithm, "-")
	var out []string
	for _, txt := range txts {
		t, ok := Tags(txt)
		has := t["k"]
		if has == "" {
			has = "rsa"
		}
		if _, key := t["p"]; ok && key && has == kind {
			out = append(out, txt)
		}
	}
	return out
}
