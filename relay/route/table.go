package route

import (
	"fmt"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
)

// TableOptions of NewTable.
type TableOptions struct {
	Routes   []*Route          // "mx" and "store" are there without being listed
	Domains  map[string]string // domain, as in mail.Address, to the name of its route
	Default  string            // the route of all other domains; default "mx"
	Resolver dns.Resolver
	Self     Self
	Port     uint16 // of MX hosts; default 25
}

// Table is the routes of a configuration. It is immutable and safe for
// concurrent use.
type Table struct {
	routes   map[string]*Route
	domains  map[string]string
	fallback *Route
	resolver dns.Resolver
	self     Self
	port     uint16
}

var _ Finder = (*Table)(nil)

// NewTable makes a table. The error names a route that has no servers, stands
// twice, or is asked for and missing.
func NewTable(o TableOptions) (*Table, error) {
	t := &Table{routes: map[string]*Route{}, domains: o.Domains, resolver: o.Resolver, self: o.Self, port: o.Port}
	if t.port == 0 {
		t.port = 25
	}
	for _, r := range o.Routes {
		if _, twice := t.routes[r.Name]; twice {
			return nil, fmt.Errorf("route %q stands twice", r.Name)
		}
		if (r.Kind == Hosts || r.Kind == LMTP) && len(r.To) == 0 {
			return nil, fmt.Errorf("route %q has no servers: it needs `to`", r.Name)
		}
		t.routes[r.Name] = r
	}
	for _, r := range []*Route{{Name: "mx", Kind: MX}, {Name: "store", Kind: Store}} {
		if t.routes[r.Name] == nil {
			t.routes[r.Name] = r
		}
	}
	for domain, name := range o.Domains {
		if t.routes[name] == nil {
			return nil, fmt.Errorf("domain %s: there is no route %q", domain, name)
		}
	}
	if o.Default == "" {
		o.Default = "mx"
	}
	if t.fallback = t.routes[o.Default]; t.fallback == nil {
		return nil, fmt.Errorf("there is no route %q for all other domains", o.Default)
	}
	return t, nil
}

// Find implements Finder: the route that policy chose for the recipient, else
// its domain's, else the one for all others.
func (t *Table) Find(to mail.Recipient) (*Route, error) {
	name, tls := ParseChoice(to.Route)
	_, source := CutSource(to.Route)
	if name == "" {
		name = t.domains[to.Address.Domain]
	}
	if name == "" {
		return t.fallback.atLeast(tls).from(source), nil
	}
	if r := t.routes[name]; r != nil {
		return r.atLeast(tls).from(source), nil
	}
	// A message can wait for longer than a route lives: it goes on waiting.
	return nil, mail.Defer(51, 3, 5, fmt.Sprintf("There is no route %q in the configuration any more", name))
}
