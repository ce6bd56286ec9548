package dkim

import (
	"context"
	"errors"
	"net"

	"github.com/forepost/forepost/filters/internal/canon"
	"github.com/forepost/forepost/filters/internal/lately"
	"github.com/forepost/forepost/relay/dns"
)

// known are the keys that were seen last.
var known = lately.New(canon.ParseKey)

// keys looks up the key of one signature for the library, and keeps it.
type keys struct {
	ctx       context.Context
	dns       dns.Resolver
	algorithm string    // a= of the signature
	key       canon.Key // that was found
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
	if txts = canon.Fitting(txts, k.algorithm); len(txts) == 1 {
		if k.key, err = known.Get(txts[0]); err != nil {
			return nil, err
		}
	}
	return txts, nil
}
