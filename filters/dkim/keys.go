package dkim

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/forepost/forepost/relay/dns"
)

// maxKey is how long a key record may be: enough for RSA with 8192 bits. What
// is larger only costs time.
const maxKey = 2048

// keys looks up the key of one signature for the library, and keeps it.
type keys struct {
	ctx       context.Context
	dns       dns.Resolver
	algorithm string // a= of the signature
	record    string // the key that was found
}

// lookup is what the library asks for. Its errors are those of package net, by
// which the library tells a missing key from a DNS that does not answer.
func (k *keys) lookup(name string) ([]string, error) {
	txts, err := dns.LookupTXT(k.ctx, k.dns, name)
	if err != nil {
		temporary := dns.IsTemporary(err)
		var e *dns.Error
		text := err.Error()
		if errors.As(err, &e) {
			text = e.Text
		}
		return nil, &net.DNSError{Err: text, Name: name, IsTemporary: temporary, IsNotFound: !temporary}
	}
	txts = k.fitting(txts)
	if len(txts) == 1 {
		k.record = txts[0]
		if len(k.record) > maxKey {
			return nil, errors.New("the key is too long")
		}
	}
	return txts, nil
}

// fitting leaves, of several records, those with a key of the signature's kind.
// RFC 6376 section 3.6.2.2 leaves open what several mean; domains that change
// from RSA to Ed25519 under one selector have them.
func (k *keys) fitting(txts []string) []string {
	if len(txts) < 2 {
		return txts
	}
	kind, _, _ := strings.Cut(k.algorithm, "-")
	var out []string
	for _, txt := range txts {
		t, ok := tags(txt)
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

// flags are the t= flags of the key, RFC 6376 section 3.6.1.
func (k *keys) flags() []string {
	t, _ := tags(k.record)
	return strings.Split(squeeze(t["t"]), ":")
}
