package dkimkeys

import (
	"context"
	"crypto"
	"errors"

	"github.com/forepost/forepost/filters/dkim"
	"github.com/forepost/forepost/relay/dns"
)

// State is what the DNS says of a key.
type State string

// The states.
const (
	Published State = "ok"      // receivers find the key
	Missing   State = "missing" // there is no record
	Differs   State = "differs" // there is a record, of another key or of none
	Revoked   State = "revoked" // its p= is empty
	Unknown   State = "unknown" // the DNS could not tell
)

// Look asks the DNS for a key. why is for people, "" where it is published.
func Look(ctx context.Context, r dns.Resolver, k Key) (s State, why string) {
	txts, err := dns.LookupTXT(ctx, r, k.Name())
	var e *dns.Error
	switch {
	case dns.IsNotFound(err):
		return Missing, "there is no TXT record at " + k.Name()
	case errors.As(err, &e):
		return Unknown, e.Text
	case err != nil:
		return Unknown, err.Error()
	}
	return compare(txts, k.Signer.Public())
}

// compare finds a key among records. What several under one name mean is left
// open by RFC 6376 section 3.6.2.2: receivers may take any, so all must be right.
func compare(txts []string, want crypto.PublicKey) (State, string) {
	if len(txts) > 1 {
		return Differs, "there is more than one TXT record: receivers take any of them"
	}
	if len(txts) == 0 {
		return Missing, "the answer has no TXT record"
	}
	pub, err := dkim.ParseKeyRecord(txts[0])
	switch {
	case errors.Is(err, dkim.ErrRevoked):
		return Revoked, err.Error()
	case err != nil:
		return Differs, err.Error()
	}
	if k, ok := want.(interface{ Equal(crypto.PublicKey) bool }); !ok || !k.Equal(pub) {
		return Differs, "the record has another key"
	}
	return Published, ""
}
