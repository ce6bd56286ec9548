package dns

import (
	"context"
	"net/netip"
	"strings"

	mdns "github.com/miekg/dns"
)

// maxPTR is how many names of an address are looked at, as RFC 7208 section
// 5.5 has it for SPF.
const maxPTR = 10

// ReverseName is an address as DNS lists write it in front of their zone (RFC
// 5782 sections 2.1 and 2.4): the octets of IPv4, the nibbles of IPv6, last
// first, without a final dot. "" for no address.
func ReverseName(ip netip.Addr) string {
	ip = ip.Unmap()
	b := ip.AsSlice()
	labels := make([]string, 0, 32)
	for i := len(b) - 1; i >= 0; i-- {
		if ip.Is4() {
			labels = append(labels, decimal(b[i]))
			continue
		}
		const hex = "0123456789abcdef"
		labels = append(labels, hex[b[i]&15:][:1], hex[b[i]>>4:][:1])
	}
	return strings.Join(labels, ".")
}

func decimal(b byte) string {
	d := []byte{'0' + b/100, '0' + b/10%10, '0' + b%10}
	for len(d) > 1 && d[0] == '0' {
		d = d[1:]
	}
	return string(d)
}

// LookupPTR returns the names that an address says it has, without final dots.
// Anybody can claim any name there: see FCrDNS.
func LookupPTR(ctx context.Context, r Resolver, ip netip.Addr) ([]string, error) {
	if !ip.IsValid() {
		return nil, badName("", mdns.TypePTR)
	}
	zone := ".ip6.arpa."
	if ip.Unmap().Is4() {
		zone = ".in-addr.arpa."
	}
	a, err := r.Query(ctx, ReverseName(ip)+zone, mdns.TypePTR)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, rr := range a.RRs {
		if ptr, ok := rr.(*mdns.PTR); ok && ptr.Ptr != "." {
			out = append(out, undotted(ptr.Ptr))
		}
	}
	return out, nil
}

// FCrDNS returns the first name of an address that has the address in turn
// (forward-confirmed reverse DNS, RFC 8601 section 3 "iprev"). Without one the
// error says whether there is none or nobody could tell.
func FCrDNS(ctx context.Context, r Resolver, ip netip.Addr) (string, error) {
	names, err := LookupPTR(ctx, r, ip)
	if err != nil {
		return "", err
	}
	qtype, lookup := mdns.TypeAAAA, LookupAAAA
	if ip = ip.Unmap(); ip.Is4() {
		qtype, lookup = mdns.TypeA, LookupA
	}
	var doubt error
	for _, name := range names[:min(len(names), maxPTR)] {
		found, err := lookup(ctx, r, name)
		if IsTemporary(err) {
			doubt = err
		}
		for _, a := range found {
			if a == ip {
				return name, nil
			}
		}
	}
	if doubt != nil {
		return "", doubt
	}
	return "", &Error{Kind: NoData, Name: ip.String(), Type: qtype, Text: "no name of this address leads back to it"}
}
