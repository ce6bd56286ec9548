package inbound

import (
	"net"
	"net/netip"
	"sync"
	"time"
)

// Rate is so many in a time; the zero Rate is no limit.
type Rate struct {
	Max int64
	Per time.Duration
}

// interval is how long one of them takes to come back.
func (r Rate) interval() int64 { return int64(r.Per) / r.Max }

// gate bounds how many sessions there are, in all, from one address and from
// one network, and how many come in a time. It decides before anything is made
// for a client: a refusal costs a map lookup, a line and a close.
type gate struct {
	cfg *Config

	mu     sync.Mutex
	n      int
	visits map[netip.Prefix]visits // of addresses and of networks
	swept  time.Time
}

// visits are those of one address or network.
type visits struct {
	open int32
	due  int64 // when all that came would have come at the rate, in Unix nanoseconds (GCRA)
}

// maxVisits is how many of them are kept. Beyond that those without a session are
// forgotten: rates are then not kept for everybody, limits of sessions are.
const maxVisits = 100_000

// Reasons of the gate, as metrics and log name them.
const (
	gateSessions    = "sessions"
	gateClient      = "client"
	gateNetwork     = "network"
	gateClientRate  = "client_rate"
	gateNetworkRate = "network_rate"
)

func newGate(cfg *Config) *gate {
	return &gate{cfg: cfg, visits: map[netip.Prefix]visits{}}
}

// enter counts a client in, or tells why it is not let in. Those that are known
// are counted in the whole only.
func (g *gate) enter(client netip.Addr, known bool) (refused string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.n >= g.cfg.MaxSessions {
		return gateSessions
	}
	if !known {
		if refused = g.count(client); refused != "" {
			return refused
		}
	}
	g.n++
	return ""
}

// count is enter of somebody who is not known. A refusal counts for nothing, or
// who is too fast would never be let in again.
func (g *gate) count(client netip.Addr) (refused string) {
	now := g.cfg.Now()
	if len(g.visits) >= maxVisits {
		g.sweep(now)
	}
	one, all := g.keys(client)
	v, w := g.visits[one], g.visits[all]
	if int(v.open) >= g.cfg.MaxPerClient {
		return gateClient
	}
	if one != all && int(w.open) >= g.cfg.MaxPerNetwork {
		return gateNetwork
	}
	if !client.IsLoopback() { // this machine itself may be as fast as it can
		if !v.pass(g.cfg.ClientRate, now) {
			return gateClientRate
		}
		if one != all && !w.pass(g.cfg.NetworkRate, now) {
			return gateNetworkRate
		}
	}
	v.open++
	g.visits[one] = v
	if one != all {
		w.open++
		g.visits[all] = w
	}
	return ""
}

// pass counts one more at the rate, if there is room.
func (v *visits) pass(r Rate, now time.Time) bool {
	if r.Max <= 0 {
		return true
	}
	due := max(v.due, now.UnixNano()) + r.interval()
	if due-now.UnixNano() > int64(r.Per) {
		return false
	}
	v.due = due
	return true
}

// leave is the end of a session that enter let in.
func (g *gate) leave(client netip.Addr, known bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n--
	if known {
		return
	}
	one, all := g.keys(client)
	g.less(one)
	if one != all {
		g.less(all)
	}
}

func (g *gate) less(key netip.Prefix) {
	v := g.visits[key]
	v.open--
	if v.open <= 0 && (v.due <= g.cfg.Now().UnixNano() || len(g.visits) >= maxVisits) {
		delete(g.visits, key)
		return
	}
	g.visits[key] = v
}

// sweep forgets, at most once a second, those that need not be remembered.
func (g *gate) sweep(now time.Time) {
	if now.Sub(g.swept) < time.Second {
		return
	}
	g.swept = now
	for key, v := range g.visits {
		if v.open == 0 && v.due <= now.UnixNano() {
			delete(g.visits, key)
		}
	}
}

// keys are what a client counts as: an address and a network.
func (g *gate) keys(a netip.Addr) (one, all netip.Prefix) {
	one, _ = a.Prefix(a.BitLen())
	bits := g.cfg.NetworkV4
	if a.Is6() {
		bits = g.cfg.NetworkV6
	}
	all, _ = a.Prefix(min(bits, a.BitLen()))
	return one, all
}

// clientOf is the address of a connection's client; connections of a unix
// socket have none and count as one client.
func clientOf(c net.Conn) netip.Addr {
	if t, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return t.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}
