package appliance

import (
	"net"
	"net/netip"
	"strings"

	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/route"
)

// self is how this gateway knows itself among the MX hosts of a domain: by its
// name, and by the addresses that its SMTP listeners answer on.
func (a *Appliance) self(s *policies.Settings) route.Self {
	var ours []netip.AddrPort
	for _, l := range s.Listeners {
		if ap, ok := listenAddr(l.Address); ok && ap.Port() != 0 {
			ours = append(ours, ap)
		}
	}
	return route.Self{Names: []string{s.Hostname}, Addrs: func(to netip.AddrPort) bool {
		for _, ap := range ours {
			if ap.Port() == to.Port() && (ap.Addr() == to.Addr() || ap.Addr().IsUnspecified() && onThisMachine(to.Addr())) {
				return true
			}
		}
		return false
	}}
}

// listenAddr reads "127.0.0.1:25" and ":25", which is every address.
func listenAddr(s string) (netip.AddrPort, bool) {
	if strings.HasPrefix(s, ":") {
		s = "[::]" + s
	}
	ap, err := netip.ParseAddrPort(s)
	return ap, err == nil
}

// onThisMachine tells whether an address is one of this machine's interfaces.
// They are looked up each time: addresses come and go.
func onThisMachine(ip netip.Addr) bool {
	if ip.IsLoopback() {
		return true
	}
	list, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok {
			if own, ok := netip.AddrFromSlice(n.IP); ok && own.Unmap() == ip.Unmap() {
				return true
			}
		}
	}
	return false
}
