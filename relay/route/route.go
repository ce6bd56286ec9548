// Package route knows where mail goes next: by the domain's route, by a route
// that policy chose, or by MX.
package route

import (
	"context"
	"net/netip"

	"github.com/forepost/forepost/relay/mail"
)

// Kind is how a route reaches its servers.
type Kind uint8

// The kinds.
const (
	MX    Kind = iota // the hosts that the DNS names for the recipient's domain
	Hosts             // configured SMTP hosts
	LMTP              // configured LMTP servers
	Store             // our own store
)

// TLSPolicy is what a route asks of transport security.
type TLSPolicy uint8

// The policies: opportunistic, any TLS, a verified certificate, one that DANE
// verifies. Each asks for more than the one before.
const (
	TLSMay TLSPolicy = iota
	TLSRequire
	TLSVerify
	TLSDANE
)

// Route is a configured route, or route.mx or route.store.
type Route struct {
	Name   string
	Kind   Kind
	To     []Target
	TLS    TLSPolicy
	Raised bool // TLS is more than the route itself asks: policy chose it for a recipient
	Random bool // strategy = balance: any order; else failover: in the order written
	// Source is the address of this host to connect from, to servers of its own
	// family; the zero Addr leaves it to the system.
	Source netip.Addr
	Pool   []netip.Addr // such addresses, one of which is taken for each host; Source goes before
	Moved  bool         // Source is another than the route's own: policy chose it for a recipient
	User   string
	Secret string
	Limit  int // deliveries to a destination at once, at the most; 0 for the queue's default
}

// From are the addresses of this host that the route may connect from, none where the
// system chooses.
func (r *Route) From() []netip.Addr {
	if r.Source.IsValid() {
		return []netip.Addr{r.Source}
	}
	return r.Pool
}

// Target is a server of a route: host and port, or a unix socket.
type Target struct {
	Host string // a name, an address, or the path of a socket (LMTP)
	Port uint16 // 0 for a socket
}

// Host is one host to try, with its addresses in the order to try them.
type Host struct {
	Name  string
	Addrs []netip.AddrPort
	Unix  string // a socket's path instead of Addrs
	// Signed tells whether the answer of the DNS that led to this host was authentic
	// (DNSSEC), or needed none, since the configuration names the host.
	Signed bool
}

// Finder finds routes and hosts. Table implements it.
type Finder interface {
	// Find chooses the route for a recipient. The error is a mail.Reply.
	Find(to mail.Recipient) (*Route, error)
	// Hosts are the hosts of a route for a domain, in the order to try them. The
	// error is a mail.Reply: a null MX and a loop to us are permanent, a DNS that
	// could not tell is transient.
	Hosts(ctx context.Context, r *Route, domain string) ([]Host, error)
}
