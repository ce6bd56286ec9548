package relay

import (
	"context"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/route"
)

// Transports are what carries mail over the sorts of routes. SMTP and LMTP are
// asked for each recipient, so that they must be quick.
type Transports struct {
	SMTP  func(r *route.Route) queue.Transport // routes of the kinds MX and Hosts
	LMTP  func(r *route.Route) queue.Transport
	Store queue.Transport // our own store; nil where there is none
}

// storeLimit is how many deliveries to our own store are under way at once. It
// is higher than for a foreign host, since they share the journal's syncs.
const storeLimit = 64

// NewRouter is the route table as the queue asks for it. To swap the table at a
// reload, give a Finder that asks the one in force.
func NewRouter(f route.Finder, t Transports) queue.Router { return &router{f, t} }

type router struct {
	finder route.Finder
	t      Transports
}

// Route implements queue.Router.
func (r *router) Route(_ context.Context, to mail.Recipient) (queue.Hop, queue.Transport, error) {
	rt, err := r.finder.Find(to)
	if err != nil {
		return queue.Hop{}, nil, err
	}
	hop, t := hopOf(rt, to.Address.Domain), queue.Transport(nil)
	switch {
	case rt.Kind == route.Store:
		t = r.t.Store
	case rt.Kind == route.LMTP && r.t.LMTP != nil:
		t = r.t.LMTP(rt)
	case rt.Kind != route.LMTP && r.t.SMTP != nil:
		t = r.t.SMTP(rt)
	}
	if t == nil {
		return hop, nil, mail.Defer(51, 3, 5, "route "+rt.Name+" has no transport in this configuration")
	}
	return hop, t, nil
}

// hopOf names the line: one for each domain over MX, one for each route with
// servers of its own, one for the store.
func hopOf(rt *route.Route, domain string) queue.Hop {
	if rt.Raised { // a line of its own: what waits there must not travel with the rest
		own := *rt
		own.Raised = false
		hop := hopOf(&own, domain)
		hop.Key = route.Choice(hop.Key, rt.TLS)
		return hop
	}
	if rt.Moved { // likewise: the next server sees another client
		own := *rt
		own.Moved = false
		hop := hopOf(&own, domain)
		hop.Key = route.WithSource(hop.Key, rt.Source)
		return hop
	}
	switch rt.Kind {
	case route.Store:
		return queue.Hop{Key: "store", Route: rt.Name, Final: true, Limit: storeLimit}
	case route.LMTP:
		return queue.Hop{Key: "route:" + rt.Name, Route: rt.Name, Final: true, Limit: rt.Limit}
	case route.Hosts:
		return queue.Hop{Key: "route:" + rt.Name, Route: rt.Name, Limit: rt.Limit}
	}
	if rt.Name == "mx" {
		return queue.Hop{Key: "mx:" + domain, Route: rt.Name, Limit: rt.Limit}
	}
	return queue.Hop{Key: "route:" + rt.Name + ":" + domain, Route: rt.Name, Limit: rt.Limit} // MX with a TLS policy of its own
}
