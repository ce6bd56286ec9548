package spf

import (
	"context"
	"errors"
	"net"
	"net/netip"

	"github.com/forepost/forepost/relay/dns"
)

// resolver is our resolver as the library asks for it. Its errors are those of
// package net, by which the library tells "there is none" from "could not
// tell".
type resolver struct {
	dns dns.Resolver
	v4  bool // the client's family
}

// LookupTXT hands the library only records whose syntax was checked.
func (r *resolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	txts, err := dns.LookupTXT(ctx, r.dns, name)
	for i, txt := range txts {
		if isRecord(txt) && !valid(txt) {
			txts[i] = broken
		}
	}
	return txts, netError(name, err)
}

// LookupMX leaves out the null MX (RFC 7505), which has no address.
func (r *resolver) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	mxs, err := dns.LookupMX(ctx, r.dns, name)
	var out []*net.MX
	for _, mx := range mxs {
		if mx.Host != "" {
			out = append(out, &net.MX{Host: mx.Host, Pref: mx.Preference})
		}
	}
	return out, netError(name, err)
}

// LookupIPAddr asks for the addresses of the client's family (RFC 7208 section
// 5.3). For a client with IPv6 it asks for A as well, which "exists" is about
// whatever the client has (section 5.7).
func (r *resolver) LookupIPAddr(ctx context.Context, name string) ([]net.IPAddr, error) {
	var ips []netip.Addr
	var err error
	if r.v4 {
		ips, err = dns.LookupA(ctx, r.dns, name)
	} else {
		ips, err = dns.LookupAddrs(ctx, r.dns, name)
	}
	var out []net.IPAddr
	for _, ip := range ips {
		out = append(out, net.IPAddr{IP: ip.AsSlice()})
	}
	return out, netError(name, err)
}

func (r *resolver) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return nil, netError(addr, err)
	}
	names, err := dns.LookupPTR(ctx, r.dns, ip)
	return names, netError(addr, err)
}

func netError(name string, err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	var e *dns.Error
	if errors.As(err, &e) {
		text = e.Text
	}
	found := !dns.IsNotFound(err)
	return &net.DNSError{Err: text, Name: name, IsNotFound: !found, IsTemporary: found}
}
