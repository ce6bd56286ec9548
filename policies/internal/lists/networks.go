package lists

import (
	"errors"
	"net/netip"
)

// networks looks an address up once for each length of prefix that the list
// has: a handful of hash lookups for however many networks.
type networks struct {
	set    map[netip.Prefix]struct{}
	v4, v6 []int // lengths in use
}

func (n *networks) add(s string) error {
	p, err := ParseNetwork(s)
	if err != nil {
		return err
	}
	if n.set == nil {
		n.set = map[netip.Prefix]struct{}{}
	}
	n.set[p] = struct{}{}
	return nil
}

func (n *networks) done() error {
	var have [2][129]bool
	for p := range n.set {
		four, lengths := 0, &n.v6
		if p.Addr().Is4() {
			four, lengths = 1, &n.v4
		}
		if !have[four][p.Bits()] {
			have[four][p.Bits()] = true
			*lengths = append(*lengths, p.Bits())
		}
	}
	return nil
}

func (n *networks) has(s string) bool {
	ip, err := netip.ParseAddr(s)
	return err == nil && n.hasIP(ip)
}

func (n *networks) hasIP(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	lengths := n.v6
	if ip.Is4() {
		lengths = n.v4
	}
	for _, bits := range lengths {
		p, err := ip.Prefix(bits)
		if err != nil {
			continue
		}
		if _, ok := n.set[p]; ok {
			return true
		}
	}
	return false
}

// ParseNetwork reads an address or a network; a network's host bits are dropped.
func ParseNetwork(s string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(s); err == nil {
		ip = ip.Unmap().WithZone("")
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, errors.New("not an IP address or network; write 192.0.2.1 or 192.0.2.0/24")
	}
	return p.Masked(), nil
}
