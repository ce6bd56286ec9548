package route

import (
	"net/netip"
	"slices"
	"strings"
)

// Self is how this gateway knows itself among the hosts of a domain.
type Self struct {
	Names []string                       // its host names
	Addrs func(addr netip.AddrPort) bool // whether a listener of ours takes mail there; nil: none
}

// Listening makes the Addrs of Self from the addresses that our SMTP listeners
// are bound to and those that this machine has: one bound to 0.0.0.0 or [::]
// takes what comes to any of them.
func Listening(bound []netip.AddrPort, machine []netip.Addr) func(netip.AddrPort) bool {
	return func(to netip.AddrPort) bool {
		ip := to.Addr().Unmap()
		for _, b := range bound {
			switch {
			case b.Port() != to.Port():
			case b.Addr().Unmap() == ip:
				return true
			case b.Addr().IsUnspecified() && (ip.IsLoopback() || slices.Contains(machine, ip)):
				return true
			}
		}
		return false
	}
}

func (s Self) named(host string) bool {
	for _, n := range s.Names {
		if strings.EqualFold(strings.TrimSuffix(n, "."), host) {
			return true
		}
	}
	return false
}

func (s Self) at(addrs []netip.AddrPort) bool {
	for _, a := range addrs {
		if s.Addrs != nil && s.Addrs(a) {
			return true
		}
	}
	return false
}
