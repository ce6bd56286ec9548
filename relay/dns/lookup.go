package dns

import (
	"cmp"
	"context"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	mdns "github.com/miekg/dns"
)

// MX is one mail exchanger of a domain.
type MX struct {
	Host       string // lower case, no final dot; "" is the null MX of RFC 7505
	Preference uint16
}

// LookupTXT returns the TXT records of a name as raw octets, the strings of
// each joined without a blank (RFC 7208 section 3.3, RFC 6376 section 3.6.2.2).
func LookupTXT(ctx context.Context, r Resolver, name string) ([]string, error) {
	a, err := r.Query(ctx, name, mdns.TypeTXT)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, rr := range a.RRs {
		if txt, ok := rr.(*mdns.TXT); ok {
			out = append(out, unescape(strings.Join(txt.Txt, "")))
		}
	}
	return out, nil
}

// LookupMX returns the mail exchangers of a domain, the preferred first, equal
// ones in random order (RFC 5321 section 5.1).
func LookupMX(ctx context.Context, r Resolver, domain string) ([]MX, error) {
	list, _, err := LookupSignedMX(ctx, r, domain)
	return list, err
}

// LookupSignedMX is LookupMX; secure tells whether the answer was authentic.
func LookupSignedMX(ctx context.Context, r Resolver, domain string) (out []MX, secure bool, err error) {
	a, err := r.Query(ctx, domain, mdns.TypeMX)
	if err != nil {
		return nil, false, err
	}
	for _, rr := range a.RRs {
		if mx, ok := rr.(*mdns.MX); ok {
			out = append(out, MX{undotted(mx.Mx), mx.Preference})
		}
	}
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	slices.SortStableFunc(out, func(a, b MX) int { return cmp.Compare(a.Preference, b.Preference) })
	return out, a.Authentic, nil
}

// LookupA returns the IPv4 addresses of a name.
func LookupA(ctx context.Context, r Resolver, name string) ([]netip.Addr, error) {
	return addrs(ctx, r, name, mdns.TypeA)
}

// LookupAAAA returns the IPv6 addresses of a name.
func LookupAAAA(ctx context.Context, r Resolver, name string) ([]netip.Addr, error) {
	return addrs(ctx, r, name, mdns.TypeAAAA)
}

// LookupAddrs returns the addresses of a name, IPv6 first, asking for both at
// once. One failing is no failure while the other has addresses; if neither has
// and one could not tell, neither can we.
func LookupAddrs(ctx context.Context, r Resolver, name string) ([]netip.Addr, error) {
	var v6 []netip.Addr
	var err6 error
	done := make(chan struct{})
	go func() {
		defer close(done)
		v6, err6 = LookupAAAA(ctx, r, name)
	}()
	v4, err4 := LookupA(ctx, r, name)
	<-done
	switch all := append(v6, v4...); {
	case len(all) > 0:
		return all, nil
	case IsTemporary(err6):
		return nil, err6
	default:
		return nil, err4
	}
}

func addrs(ctx context.Context, r Resolver, name string, qtype uint16) ([]netip.Addr, error) {
	a, err := r.Query(ctx, name, qtype)
	if err != nil {
		return nil, err
	}
	var out []netip.Addr
	for _, rr := range a.RRs {
		var octets []byte
		switch rr := rr.(type) {
		case *mdns.A:
			octets = rr.A.To4()
		case *mdns.AAAA:
			octets = rr.AAAA
		}
		if ip, ok := netip.AddrFromSlice(octets); ok {
			out = append(out, ip)
		}
	}
	if len(out) == 0 { // records without an address in them
		return nil, &Error{Kind: NoData, Name: name, Type: qtype, Text: "the records hold no address"}
	}
	return out, nil
}
