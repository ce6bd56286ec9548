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
func self(s *policies.Settings) route.Self {
	var bound []netip.AddrPort
	for _, l := range s.Listeners {
		if ap, ok := listenAddr(l.Address); ok && ap.Port() != 0 {
			bound = append(bound, ap)
		}
	}
	return route.Self{Names: []string{s.Hostname}, Addrs: route.Listening(bound, machineAddrs())}
}

// listenAddr reads "127.0.0.1:25" and ":25", which is every address.
func listenAddr(s string) (netip.AddrPort, bool) {
	if strings.HasPrefix(s, ":") {
		s = "[::]" + s
	}
	ap, err := netip.ParseAddrPort(s)
	return ap, err == nil
}

// machineAddrs are the addresses of this machine's interfaces; none where they
// cannot be read: then only loopback and exact addresses are known as ours.
func machineAddrs() (list []netip.Addr) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if ip, ok := netip.AddrFromSlice(n.IP); ok {
				list = append(list, ip.Unmap())
			}
		}
	}
	return list
}
