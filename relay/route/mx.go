package route

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
)

// exchangers are the hosts of a domain by MX, RFC 5321 section 5.1.
func (t *Table) exchangers(ctx context.Context, domain string) ([]Host, error) {
	if strings.HasPrefix(domain, "[") {
		return t.literal(domain)
	}
	mxs, signed, err := t.lookupMX(ctx, domain)
	if err != nil {
		return nil, err
	}
	mxs = mxs[:min(len(mxs), maxHosts)]
	hosts := make([]Host, len(mxs))
	for i, mx := range mxs {
		hosts[i].Name, hosts[i].Signed = mx.Host, signed
	}
	errs := t.resolve(ctx, hosts, func(int) uint16 { return t.port })
	hosts, errs, loops := t.beforeUs(mxs, hosts, errs)
	if found := usable(hosts); len(found) > 0 {
		return found, nil
	}
	for i, err := range errs {
		if dns.IsTemporary(err) {
			return nil, undecided(hosts[i].Name, err)
		}
	}
	if loops {
		return nil, loop(domain)
	}
	return nil, mail.Refuse(50, 4, 4, fmt.Sprintf("No mail server of %s has an address", domain))
}

// lookupMX is the exchangers of a domain in order: never none. signed tells whether
// that answer was authentic.
func (t *Table) lookupMX(ctx context.Context, domain string) (mxs []dns.MX, signed bool, err error) {
	mxs, signed, err = dns.LookupSignedMX(ctx, t.resolver, domain)
	var e *dns.Error
	switch {
	case err == nil:
	case errors.As(err, &e) && e.Kind == dns.NoData:
		// No MX at all: the domain is its own (the implicit MX). A lookup that
		// failed is not that.
		// In a signed zone that absence is proven, and its address is signed, too.
		own, err := dns.LookupHosting(ctx, t.resolver, domain)
		if err != nil {
			return nil, false, undecided(domain, err)
		}
		return []dns.MX{{Host: domain}}, own.Secure, nil
	case dns.IsNotFound(err):
		return nil, false, mail.Refuse(50, 1, 2, fmt.Sprintf("The domain %s does not exist", domain))
	default:
		return nil, false, undecided(domain, err)
	}
	named := mxs[:0]
	for _, mx := range mxs {
		if mx.Host != "" {
			named = append(named, mx)
		}
	}
	if len(named) == 0 {
		// RFC 7505 section 4.1: nothing is tried, the address either.
		return nil, false, mail.Refuse(56, 1, 10, fmt.Sprintf("The domain %s takes no mail (null MX)", domain))
	}
	return named, signed, nil
}

// beforeUs cuts the list off where it reaches this gateway: we may hand mail on
// only to hosts that are preferred to us (RFC 5321 section 5.1), or it would
// come back.
func (t *Table) beforeUs(mxs []dns.MX, hosts []Host, errs []error) ([]Host, []error, bool) {
	for i, h := range hosts {
		if !t.self.named(h.Name) && !t.self.at(h.Addrs) {
			continue
		}
		n := 0 // those of equal preference stand before us only by chance
		for mxs[n].Preference < mxs[i].Preference {
			n++
		}
		return hosts[:n], errs[:n], true
	}
	return hosts, errs, false
}

// literal is the host of an address literal, RFC 5321 section 4.1.3.
func (t *Table) literal(domain string) ([]Host, error) {
	in := strings.TrimSuffix(strings.TrimPrefix(domain, "["), "]")
	if len(in) > 5 && strings.EqualFold(in[:5], "IPv6:") {
		in = in[5:]
	}
	ip, err := netip.ParseAddr(in)
	if err != nil {
		return nil, mail.Refuse(50, 1, 3, fmt.Sprintf("%s is not an address", domain))
	}
	addrs := interleave([]netip.Addr{ip}, t.port)
	if len(addrs) == 0 {
		return nil, mail.Refuse(50, 1, 3, fmt.Sprintf("%s is not the address of a host", domain))
	}
	if t.self.at(addrs) {
		return nil, loop(domain)
	}
	return []Host{{Name: domain, Addrs: addrs}}, nil
}

func undecided(name string, err error) mail.Reply {
	return mail.Defer(51, 4, 3, fmt.Sprintf("The DNS gave no answer about %s: %v", name, err))
}

func loop(domain string) mail.Reply {
	return mail.Refuse(50, 4, 6, fmt.Sprintf("Mail for %s comes back to this gateway, which has no route for it", domain))
}
