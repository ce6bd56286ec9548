package spf

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/forepost/forepost/relay/dns"
)

// matches tells whether a mechanism matches the client, RFC 7208 section 5.
func (c *checker) matches(ctx context.Context, d *directive, domain string) (bool, error) {
	switch d.kind {
	case "all":
		return true, nil
	case "ip4", "ip6":
		return d.net.Contains(c.ip), nil
	}
	if err := c.term(); err != nil {
		return false, err
	}
	name, err := c.target(ctx, d.domain, domain)
	if err != nil {
		return false, err
	}
	switch d.kind {
	case "include":
		return c.include(ctx, name)
	case "a":
		ips, err := c.addrs(ctx, escaped(name), c.ip.Is4())
		return c.among(ips, d.bits), err
	case "mx":
		return c.mx(ctx, name, d.bits)
	case "ptr":
		names, err := c.clientNames(ctx)
		return slices.ContainsFunc(names, func(n string) bool { return isUnder(n, name) }), err
	}
	ips, err := c.addrs(ctx, escaped(name), true) // exists asks for A whatever the client has, section 5.7
	return len(ips) > 0, err
}

// include is RFC 7208 section 5.2.
func (c *checker) include(ctx context.Context, name string) (bool, error) {
	out, _ := c.host(ctx, name)
	switch out.result {
	case "pass":
		return true, nil
	case "temperror":
		return false, out.err
	case "none", "permerror":
		return false, fmt.Errorf("%s: %w", name, out.err)
	}
	return false, nil
}

// mx is RFC 7208 section 5.4.
func (c *checker) mx(ctx context.Context, name string, bits [2]int) (bool, error) {
	if err := c.spend(); err != nil {
		return false, err
	}
	hosts, err := dns.LookupMX(ctx, c.dns, escaped(name))
	if err := c.void(err); err != nil {
		return false, err
	}
	if len(hosts) > maxMX {
		return false, errMX
	}
	for _, h := range hosts {
		if h.Host == "" { // the null MX, RFC 7505
			continue
		}
		ips, err := c.addrs(ctx, h.Host, c.ip.Is4())
		if err != nil {
			return false, err
		}
		if c.among(ips, bits) {
			return true, nil
		}
	}
	return false, nil
}

// addrs are the addresses of a name as the resolver reads it, of one family (RFC 7208 section 5). A name
// without any is no error until there are too many of them.
func (c *checker) addrs(ctx context.Context, name string, v4 bool) ([]netip.Addr, error) {
	if err := c.spend(); err != nil {
		return nil, err
	}
	lookup := dns.LookupAAAA
	if v4 {
		lookup = dns.LookupA
	}
	ips, err := lookup(ctx, c.dns, name)
	return ips, c.void(err)
}

// void counts a lookup that found nothing, and says whether that can be gone on
// with.
func (c *checker) void(err error) error {
	if dns.IsTemporary(err) {
		return tempError{err}
	}
	var e *dns.Error
	if !errors.As(err, &e) || e.Kind == dns.BadName { // for a bad name nobody was asked
		return nil
	}
	c.voids++
	if c.voids > maxVoids {
		return errVoids
	}
	return nil
}

// among tells whether one of the addresses is the client's, as far as the
// prefix goes.
func (c *checker) among(ips []netip.Addr, bits [2]int) bool {
	n := bits[1]
	if c.ip.Is4() {
		n = bits[0]
	}
	return slices.ContainsFunc(ips, func(ip netip.Addr) bool {
		return netip.PrefixFrom(ip.Unmap(), n).Contains(c.ip)
	})
}

// clientNames are the names of the client that lead back to it, RFC 7208
// section 5.5. They are asked for once a check. An error of the DNS is no match;
// that there are none counts as a lookup that found nothing.
func (c *checker) clientNames(ctx context.Context) ([]string, error) {
	if c.asked || c.spend() != nil {
		return c.names, nil
	}
	c.asked = true
	names, err := dns.LookupPTR(ctx, c.dns, c.ip)
	if dns.IsNotFound(err) {
		return nil, c.void(err)
	}
	for _, name := range names[:min(len(names), maxPTR)] {
		if c.spend() != nil {
			break
		}
		lookup := dns.LookupAAAA
		if c.ip.Is4() {
			lookup = dns.LookupA
		}
		if ips, _ := lookup(ctx, c.dns, name); slices.Contains(ips, c.ip) {
			c.names = append(c.names, name)
		}
	}
	return c.names, nil
}

// validatedName is %{p}: the domain itself if it is one of the client's names,
// else one below it, else any, else "unknown" (RFC 7208 section 7.3).
func (c *checker) validatedName(ctx context.Context, domain string) string {
	names, _ := c.clientNames(ctx)
	for _, n := range names {
		if strings.EqualFold(n, domain) {
			return n
		}
	}
	for _, n := range names {
		if isUnder(n, domain) {
			return n
		}
	}
	if len(names) > 0 {
		return names[0]
	}
	return "unknown"
}

// isUnder tells whether name is the domain or below it.
func isUnder(name, domain string) bool {
	domain = strings.TrimSuffix(domain, ".")
	if len(name) == len(domain) {
		return strings.EqualFold(name, domain)
	}
	cut := len(name) - len(domain)
	return cut > 1 && name[cut-1] == '.' && strings.EqualFold(name[cut:], domain)
}

// maxExplanation is how much of an explanation is kept.
const maxExplanation = 255

// explain finds the domain's text for a fail, RFC 7208 section 6.2. Whatever
// goes wrong, there is none.
func (c *checker) explain(ctx context.Context, e explanation) string {
	name, err := c.target(ctx, e.spec, e.domain)
	if err != nil || c.spend() != nil {
		return ""
	}
	txts, err := dns.LookupTXT(ctx, c.dns, escaped(name))
	if err != nil || len(txts) != 1 || len(txts[0]) > maxRecord {
		return ""
	}
	text, err := c.expand(ctx, txts[0], e.domain, true)
	if err != nil || !visible(text, true) {
		return ""
	}
	return text[:min(len(text), maxExplanation)]
}
