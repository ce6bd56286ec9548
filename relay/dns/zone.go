package dns

import (
	"context"
	"strings"
	"time"

	mdns "github.com/miekg/dns"
)

// Zone is a Resolver that knows the whole DNS from a file or a map: for the
// demo, tests and dry runs. A name that it does not hold does not exist.
type Zone struct {
	names map[string]*node
}

// node is a name. One that exists only because names below it do (an empty
// non-terminal) has empty set, and counts for wildcards alone.
type node struct {
	rrs   map[uint16][]mdns.RR
	fails map[uint16]*Error
	fail  *Error // of every type that is not listed
	named bool   // stands in the file itself
	// secure makes the answers authentic, as a validating resolver says it.
	secure bool
}

// zoneTTL is the time to live of what a zone does not say otherwise.
const zoneTTL = 5 * time.Minute

func newZone() *Zone { return &Zone{names: map[string]*node{}} }

// node makes or finds the node of a canonical name, and makes the ones above.
func (z *Zone) node(name string) *node {
	n, ok := z.names[name]
	if !ok {
		n = &node{rrs: map[uint16][]mdns.RR{}, fails: map[uint16]*Error{}}
		z.names[name] = n
		if name != "." {
			z.node(parent(name))
		}
	}
	return n
}

func (z *Zone) add(rr mdns.RR) {
	h := rr.Header()
	h.Name = strings.ToLower(h.Name)
	n := z.node(h.Name)
	n.named = true
	n.rrs[h.Rrtype] = append(n.rrs[h.Rrtype], rr)
}

// Query implements Resolver.
func (z *Zone) Query(ctx context.Context, name string, qtype uint16) (Answer, error) {
	if err := spend(ctx, name, qtype); err != nil {
		return Answer{}, err
	}
	at, err := canonical(name, qtype)
	if err != nil {
		return Answer{}, err
	}
	ttl, secure := maxTTL, true
	for range maxChain + 1 {
		n := z.find(at)
		if n == nil {
			return Answer{}, &Error{Kind: NXDomain, Name: name, Type: qtype, Text: "the name is not in the zone file", TTL: min(ttl, z.negative(at))}
		}
		secure = secure && n.secure
		if rrs := n.records(at, qtype); len(rrs) > 0 {
			for _, rr := range rrs {
				ttl = min(ttl, seconds(rr.Header().Ttl))
			}
			return Answer{RRs: rrs, Authentic: secure, TTL: ttl}, nil
		}
		if fail := n.failure(qtype); fail != nil {
			err := *fail
			err.Name, err.Type = name, qtype
			return Answer{}, &err
		}
		alias := n.records(at, mdns.TypeCNAME)
		if len(alias) == 0 {
			return Answer{}, &Error{Kind: NoData, Name: name, Type: qtype, Text: "the name has no records of this type", TTL: min(ttl, z.negative(at))}
		}
		c := alias[0].(*mdns.CNAME)
		at, ttl = strings.ToLower(c.Target), min(ttl, seconds(c.Hdr.Ttl))
	}
	return Answer{}, chainError(name, qtype)
}

// find finds the node of a name, or the wildcard that stands for it: the one
// right below the closest name that exists, RFC 4592 section 3.3.1.
func (z *Zone) find(name string) *node {
	if n, ok := z.names[name]; ok {
		if n.named {
			return n
		}
		return nil // the contract: what is not in the file does not exist
	}
	for up := parent(name); ; up = parent(up) {
		if _, ok := z.names[up]; ok || up == "." {
			return z.names["*."+strings.TrimPrefix(up, ".")]
		}
	}
}

// negative is how long the absence of a name may be believed: what the SOA
// above it says, else zoneTTL.
func (z *Zone) negative(name string) time.Duration {
	for ; ; name = parent(name) {
		if n, ok := z.names[name]; ok && len(n.rrs[mdns.TypeSOA]) > 0 {
			return negativeTTL(n.rrs[mdns.TypeSOA])
		}
		if name == "." {
			return zoneTTL
		}
	}
}

// records are the records of a type, under the name that was asked for.
func (n *node) records(name string, qtype uint16) []mdns.RR {
	rrs := n.rrs[qtype]
	rrs = rrs[:min(len(rrs), maxRRs)]
	if len(rrs) == 0 || rrs[0].Header().Name == name {
		return rrs
	}
	out := make([]mdns.RR, len(rrs))
	for i, rr := range rrs {
		out[i] = mdns.Copy(rr)
		out[i].Header().Name = name
	}
	return out
}

func (n *node) failure(qtype uint16) *Error {
	if f, ok := n.fails[qtype]; ok {
		return f
	}
	return n.fail
}
