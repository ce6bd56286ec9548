package dns

import (
	"strings"
	"time"

	mdns "github.com/miekg/dns"
)

// Bounds on what one question may bring in.
const (
	maxChain = 8   // CNAMEs that are followed
	maxRRs   = 512 // records of an answer that are kept: more serve no purpose in mail

	maxTTL         = 24 * time.Hour
	maxNegativeTTL = time.Hour // RFC 2308 section 5 allows three
)

// follow finds the records of a type for a name in the answer section of a
// message, along its CNAMEs. at is the name where the chain ends; links is how
// many were followed, more than maxChain for a chain that does not end.
func follow(section []mdns.RR, name string, qtype uint16) (rrs []mdns.RR, at string, links int, ttl time.Duration) {
	at, ttl = name, maxTTL
	for ; links <= maxChain; links++ {
		var alias *mdns.CNAME
		for _, rr := range section {
			h := rr.Header()
			if h.Class != mdns.ClassINET || !strings.EqualFold(h.Name, at) {
				continue
			}
			if h.Rrtype == qtype || qtype == mdns.TypeANY {
				if len(rrs) < maxRRs {
					rrs, ttl = append(rrs, rr), min(ttl, seconds(h.Ttl))
				}
			} else if c, ok := rr.(*mdns.CNAME); ok && alias == nil {
				alias = c
			}
		}
		if len(rrs) > 0 || alias == nil {
			return rrs, at, links, ttl
		}
		at, ttl = strings.ToLower(alias.Target), min(ttl, seconds(alias.Hdr.Ttl))
	}
	return nil, at, links, ttl
}

// negativeTTL is how long the absence that a message states may be believed:
// the lesser of the SOA's TTL and its minimum, RFC 2308 section 5. Without an
// SOA it may not be kept.
func negativeTTL(authority []mdns.RR) time.Duration {
	for _, rr := range authority {
		if soa, ok := rr.(*mdns.SOA); ok {
			return min(seconds(soa.Hdr.Ttl), seconds(soa.Minttl), maxNegativeTTL)
		}
	}
	return 0
}

func seconds(n uint32) time.Duration { return time.Duration(n) * time.Second }
