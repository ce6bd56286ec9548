package route

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
)

// Bounds on what one delivery tries, whatever the DNS says.
const (
	maxHosts = 10
	maxAddrs = 8 // of a host
)

// Hosts implements Finder.
func (t *Table) Hosts(ctx context.Context, r *Route, domain string) ([]Host, error) {
	switch r.Kind {
	case MX:
		return t.exchangers(ctx, domain)
	case Hosts, LMTP:
		return t.configured(ctx, r)
	}
	return nil, nil // the store is no host
}

// configured are the servers of a route. The operator named them, so that what
// the DNS says of them can only delay mail, never bounce it.
func (t *Table) configured(ctx context.Context, r *Route) ([]Host, error) {
	to := append([]Target(nil), r.To...)
	if r.Random {
		rand.Shuffle(len(to), func(i, j int) { to[i], to[j] = to[j], to[i] })
	}
	hosts := make([]Host, len(to))
	for i, target := range to {
		hosts[i] = Host{Name: target.Host, Signed: true}
		if strings.HasPrefix(target.Host, "/") {
			hosts[i].Unix = target.Host
		}
	}
	errs := t.resolve(ctx, hosts, func(i int) uint16 {
		if to[i].Port != 0 {
			return to[i].Port
		}
		return t.port
	})
	if found := usable(hosts); len(found) > 0 {
		return found, nil
	}
	return nil, mail.Defer(51, 4, 3, fmt.Sprintf("No server of route %q has an address now: %v", r.Name, errs[0]))
}

// resolve looks the addresses of hosts up, all at once, and returns an error
// for each of them.
func (t *Table) resolve(ctx context.Context, hosts []Host, port func(i int) uint16) []error {
	errs := make([]error, len(hosts))
	var wg sync.WaitGroup
	for i := range hosts {
		h := &hosts[i]
		if h.Unix != "" {
			continue
		}
		if ip, err := netip.ParseAddr(h.Name); err == nil {
			h.Addrs = []netip.AddrPort{netip.AddrPortFrom(ip, port(i))}
			continue
		}
		wg.Go(func() {
			ips, err := dns.LookupAddrs(ctx, t.resolver, h.Name)
			h.Addrs, errs[i] = interleave(ips, port(i)), err
		})
	}
	wg.Wait()
	return errs
}

// usable are the hosts that can be tried.
func usable(hosts []Host) []Host {
	var out []Host
	for _, h := range hosts {
		if h.Unix != "" || len(h.Addrs) > 0 {
			out = append(out, h)
		}
	}
	return out
}

// interleave puts addresses in the order to try them: the families in turn,
// IPv6 first (RFC 8305 section 4), within a family as the DNS gave them (RFC
// 5321 section 5.1). Addresses that are no host's are left out: 0.0.0.0 would
// reach ourselves.
func interleave(ips []netip.Addr, port uint16) []netip.AddrPort {
	var v6, v4 []netip.Addr
	for _, ip := range ips {
		switch ip = ip.Unmap(); {
		case ip.IsUnspecified() || ip.IsMulticast():
		case ip.Is4():
			v4 = append(v4, ip)
		default:
			v6 = append(v6, ip)
		}
	}
	var out []netip.AddrPort
	for i := 0; (i < len(v6) || i < len(v4)) && len(out) < maxAddrs; i++ {
		if i < len(v6) {
			out = append(out, netip.AddrPortFrom(v6[i], port))
		}
		if i < len(v4) {
			out = append(out, netip.AddrPortFrom(v4[i], port))
		}
	}
	return out[:min(len(out), maxAddrs)]
}
