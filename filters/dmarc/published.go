package dmarc

import (
	"context"
	"strconv"
	"strings"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
)

// Published is the policy that applies to an author's domain, as a reporter
// needs it: RFC 9990.
type Published struct {
	Domain string // the Policy Domain: where the record stands
	Record Record

	author string
	e      evaluator
	w      *walker
}

// Lookup asks for the policy of an author's domain, nil where there is none. An
// error of the DNS is returned as it is.
func Lookup(ctx context.Context, r dns.Resolver, author string) (*Published, error) {
	e := filter{dns: r}.evaluator()
	w := &walker{txt: e.txt, seen: map[string]*Record{}}
	f, err := policyOf(ctx, w, author)
	if err != nil || f == nil {
		return nil, err
	}
	rec, ok := f.record.usable()
	if !ok {
		return nil, nil
	}
	return &Published{Domain: f.domain, Record: rec, author: author, e: e, w: w}, nil
}

// Aligned tells whether one of the identities that passed is in alignment with
// the author's domain.
func (p *Published) Aligned(ctx context.Context, ids ...Identity) (bool, error) {
	id, err := aligned(ctx, p.w, p.Record, p.author, ids)
	return id != nil, err
}

// Destination is a place for reports.
type Destination struct {
	To  mail.Address
	Max int64 // octets of the whole message, 0 for no limit
}

// maxDestinations is how many are served of one record: RFC 9990 section 3.5
// leaves the limit to us.
const maxDestinations = 5

// Destinations are where the domain wants aggregate reports, those elsewhere only
// where the place agrees (RFC 9990 section 4). An error means that the DNS could
// not tell of one of them.
func (p *Published) Destinations(ctx context.Context) (list []Destination, err error) {
	for _, d := range destinations(p.Record.RUA) {
		agreed, e := p.agreed(ctx, d)
		if e != nil {
			return nil, e
		}
		list = append(list, agreed...)
	}
	return list[:min(len(list), maxDestinations)], nil
}

// agreed is a destination that may be used: as it is, as its own host puts it, or
// not at all.
func (p *Published) agreed(ctx context.Context, d Destination) ([]Destination, error) {
	if within(d.To.Domain, p.Domain) || within(p.Domain, d.To.Domain) {
		mine, err := p.w.organization(ctx, p.Domain)
		if err != nil {
			return nil, err
		}
		theirs, err := p.w.organization(ctx, d.To.Domain)
		if err != nil {
			return nil, err
		}
		if mine == theirs {
			return []Destination{d}, nil
		}
	}
	txts, err := p.e.txt(ctx, p.Domain+"._report._dmarc."+d.To.Domain)
	if err != nil {
		return nil, err
	}
	agreed, other := false, []Destination(nil)
	for _, t := range txts {
		if rec, ok := ParseRecord(t); ok {
			agreed = true
			other = append(other, destinations(rec.RUA)...)
		}
	}
	switch {
	case !agreed:
		return nil, nil
	case len(other) == 0:
		return []Destination{d}, nil
	}
	for _, o := range other { // step 9: only the same host, or nobody
		if o.To.Domain != d.To.Domain {
			return nil, nil
		}
	}
	return other[:min(len(other), maxDestinations)], nil
}

// destinations are the mailto URIs of a list, each at most once.
func destinations(uris string) (list []Destination) {
	seen := map[string]bool{}
	for _, u := range strings.SplitN(uris, ",", 4*maxDestinations) {
		if d, ok := destination(strings.TrimSpace(u)); ok && !seen[d.To.Key()] {
			seen[d.To.Key()] = true
			list = append(list, d)
		}
	}
	return list
}

// destination reads a URI of rua: "mailto:a@example.com", in RFC 7489 with a size
// behind it: "mailto:a@example.com!10m".
func destination(uri string) (d Destination, ok bool) {
	scheme, rest, found := strings.Cut(uri, ":")
	if !found || !strings.EqualFold(scheme, "mailto") {
		return d, false
	}
	if i := strings.LastIndexByte(rest, '!'); i >= 0 {
		if d.Max, ok = sizeOf(rest[i+1:]); !ok {
			return d, false
		}
		rest = rest[:i]
	}
	rest, _, _ = strings.Cut(rest, "?")
	to, err := mail.ParseAddress(unescape(rest), false)
	if err != nil || to.IsNull() || strings.HasPrefix(to.Domain, "[") {
		return d, false
	}
	d.To = to
	return d, true
}

// sizeOf reads "10m": RFC 7489 section 6.2.
func sizeOf(s string) (int64, bool) {
	shift := 0
	if n := len(s) - 1; n > 0 {
		if i := strings.IndexByte("kmgt", s[n]|0x20); i >= 0 {
			s, shift = s[:n], 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n << shift, err == nil && n > 0 && n < 1<<20
}

// unescape undoes the %XX of a URI; what is none stays.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			if v, err := strconv.ParseUint(s[i+1:i+3], 16, 8); err == nil {
				b.WriteByte(byte(v))
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
