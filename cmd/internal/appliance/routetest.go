package appliance

import (
	"context"
	"fmt"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/outbound"
	"github.com/forepost/forepost/relay/route"
)

// TestRoute tries where an address goes, up to the recipient.
func (a *Appliance) TestRoute(ctx context.Context, address string) (r admin.RouteTest, err error) {
	to, err := mail.ParseAddress(address, true)
	if err != nil {
		return r, fmt.Errorf("%q is not an address: %w", address, err)
	}
	found, err := a.live().table.Find(mail.Recipient{Address: to})
	if err != nil {
		return r, err
	}
	r.Route = found.Name
	if found.Kind == route.Store {
		acc, err := a.keep.book.Lookup(to)
		r.OK = err == nil
		said := "account " + acc.Name
		if err != nil {
			said = "no account has this address"
		}
		r.Steps = []admin.RouteStep{{OK: r.OK, What: "recipient", Said: said}}
		return r, nil
	}
	var steps []outbound.Step
	steps, r.OK = a.proberFor(found).Trial(ctx, found, to)
	for _, s := range steps {
		r.Steps = append(r.Steps, admin.RouteStep(s))
	}
	return r, nil
}

func (a *Appliance) proberFor(r *route.Route) *outbound.Prober {
	if r.Kind == route.LMTP {
		return a.probers[1]
	}
	return a.probers[0]
}
