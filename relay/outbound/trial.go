package outbound

import (
	"context"
	"fmt"
	"strings"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/route"
)

// Step is one thing that a Trial did.
type Step struct {
	OK   bool
	What string // "hosts", "connect", "tls", "recipient"
	Said string // what was found, or why not
}

// Trial does what a delivery would, up to the recipient, and then quits: it looks
// hosts up, connects, begins TLS as the route asks, logs in, asks for the recipient.
// It goes on to the next host as a delivery does. taken tells whether the recipient
// would be. Nothing is remembered.
func (p *Prober) Trial(ctx context.Context, r *route.Route, to mail.Address) (steps []Step, taken bool) {
	hosts, err := p.c.o.Finder.Hosts(ctx, r, to.Domain)
	if err != nil || len(hosts) == 0 {
		return []Step{{false, "hosts", nowhere(err, to.Domain).reply.String()}}, false
	}
	steps = []Step{{true, "hosts", hostNames(hosts)}}
	g := p.c.guard(ctx, r, to.Domain)
	for _, h := range hosts {
		sec, fail := g.host(ctx, h)
		var s *session
		if fail == nil {
			s, fail = p.c.connect(ctx, h, sec, p.c.o.Now().Add(probeTime))
		}
		if fail != nil {
			steps = append(steps, Step{false, "connect", atHost(fail.host, h) + ": " + fail.reply.String()})
			continue
		}
		host := s.host
		steps = append(steps, Step{true, "connect", host}, tlsStep(s.tls, s.note))
		a, fail := p.callout(s, to)
		switch {
		case fail != nil:
			steps = append(steps, Step{false, "recipient", host + ": " + fail.reply.String()})
			continue
		case !a.known:
			return append(steps, Step{false, "recipient", host + ": " + a.reply.String()}), false
		}
		return append(steps, Step{true, "recipient", host + " takes mail for " + to.Path()}), true
	}
	return steps, false
}

func tlsStep(tls, note string) Step {
	if tls == "" {
		tls = "none: what is sent can be read on the way"
	}
	if note != "" {
		tls += " (" + note + ")"
	}
	return Step{true, "tls", tls}
}

// atHost is the host of a failure, or the name where it got to no address.
func atHost(host string, h route.Host) string {
	if host == "" {
		return h.Name + h.Unix
	}
	return host
}

// hostNames are hosts with their addresses, in the order in which they are tried.
func hostNames(hosts []route.Host) string {
	var list []string
	for _, h := range hosts {
		if h.Unix != "" {
			list = append(list, h.Unix)
			continue
		}
		var at []string
		for _, a := range h.Addrs {
			at = append(at, a.String())
		}
		list = append(list, fmt.Sprintf("%s (%s)", h.Name, strings.Join(at, ", ")))
	}
	return strings.Join(list, ", then ")
}
