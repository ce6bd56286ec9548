package inbound

import (
	"net"
	"net/netip"
	"sync"
)

// gate bounds how many sessions there are, in all and from one client.
type gate struct {
	all, each int

	mu  sync.Mutex
	n   int
	per map[netip.Prefix]int
}

func newGate(all, each int) *gate {
	return &gate{all: all, each: each, per: map[netip.Prefix]int{}}
}

func (g *gate) enter(client netip.Addr) bool {
	net := network(client)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.n >= g.all || g.per[net] >= g.each {
		return false
	}
	g.n++
	g.per[net]++
	return true
}

func (g *gate) leave(client netip.Addr) {
	net := network(client)
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n--
	if g.per[net]--; g.per[net] <= 0 {
		delete(g.per, net)
	}
}

// network is what counts as one client: an IPv4 address, an IPv6 /64.
func network(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits)
	return p
}

// clientOf is the address of a connection's client; connections of a unix
// socket have none and count as one client.
func clientOf(c net.Conn) netip.Addr {
	if t, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
