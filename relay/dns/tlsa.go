package dns

import (
	"context"
	"encoding/hex"
	"fmt"

	mdns "github.com/miekg/dns"
)

// TLSA is a record that says what the certificate of a server is, RFC 6698
// section 2.
type TLSA struct {
	Usage    uint8  // 2 is DANE-TA, 3 is DANE-EE (RFC 7218)
	Selector uint8  // 0 the certificate, 1 its public key
	Matching uint8  // 0 the whole, 1 SHA-256, 2 SHA-512
	Data     []byte // empty where the record could not be read: such a one is unusable
}

// LookupTLSA returns the TLSA records of a TCP port at a name. secure tells
// whether the answer was authentic: what is not proves nothing (RFC 7672 section
// 2.1). An error that is not NotFound is no absence.
func LookupTLSA(ctx context.Context, r Resolver, host string, port uint16) (list []TLSA, secure bool, err error) {
	a, err := r.Query(ctx, fmt.Sprintf("_%d._tcp.%s", port, host), mdns.TypeTLSA)
	if err != nil {
		return nil, false, err
	}
	for _, rr := range a.RRs {
		if t, ok := rr.(*mdns.TLSA); ok {
			data, err := hex.DecodeString(t.Certificate)
			if err != nil {
				data = nil
			}
			list = append(list, TLSA{t.Usage, t.Selector, t.MatchingType, data})
		}
	}
	return list, a.Authentic, nil
}

// Hosting is what the DNS says of a host that mail is to go to.
type Hosting struct {
	// Base is the name below which its TLSA records are looked for first: the host's,
	// or where a secure chain of aliases ends (RFC 7672 section 2.2.3).
	Base string
	// Secure tells whether TLSA records count: its addresses are authentic, or it is
	// an authentic alias, wherever that leads.
	Secure bool
}

// LookupHosting tells how far the addresses of a name are authentic. It asks what
// LookupAddrs asked, so that a cache has the answers. The error is one of having no
// address now, where there may be one: who cannot tell must not go on as if nothing
// were signed.
func LookupHosting(ctx context.Context, r Resolver, host string) (Hosting, error) {
	h := Hosting{Base: host}
	ends := map[string]bool{}
	secure := true
	var doubt error
	for _, qtype := range []uint16{mdns.TypeAAAA, mdns.TypeA} {
		a, err := r.Query(ctx, host, qtype)
		if err != nil || len(a.RRs) == 0 {
			if IsTemporary(err) {
				doubt = err
			}
			continue
		}
		secure = secure && a.Authentic
		ends[undotted(mdns.CanonicalName(a.RRs[0].Header().Name))] = true
	}
	switch {
	case len(ends) == 0:
		return h, doubt
	case secure && len(ends) == 1:
		for end := range ends {
			h.Base = end
		}
		h.Secure = true
	case !ends[host]:
		// An alias in a signed zone that leads into one that is not: the name itself
		// may have TLSA records, RFC 7672 section 2.2.2.
		alias, err := r.Query(ctx, host, mdns.TypeCNAME)
		if IsTemporary(err) {
			return h, err
		}
		h.Secure = alias.Authentic
	}
	return h, nil
}
