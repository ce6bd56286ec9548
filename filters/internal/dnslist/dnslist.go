// Package dnslist tells listings from the other answers of lists in the DNS
// (RFC 5782).
package dnslist

import (
	"fmt"
	"net/netip"
)

var (
	listings = netip.MustParsePrefix("127.0.0.0/8")      // RFC 5782 section 2.1
	refusals = netip.MustParsePrefix("127.255.255.0/24") // of Spamhaus: "you may not ask"
)

// NoListing tells why an answer of the zone is none: a refusal of our resolver, or
// a parking page of a zone that is no list any more. It is nil for a listing.
func NoListing(zone string, answer netip.Addr) error {
	switch {
	case refusals.Contains(answer):
		return Refused(zone, answer)
	case !listings.Contains(answer):
		return fmt.Errorf("%s answers %s, which is no answer of a DNS list; it may be a list no more", zone, answer)
	}
	return nil
}

// Refused is the error of an answer by which the zone says that we may not ask.
func Refused(zone string, answer netip.Addr) error {
	return fmt.Errorf("%s refuses to answer our resolver (%s); ask through one of your own, not a public one", zone, answer)
}
