package outbound

import (
	"context"
	"fmt"
	"net/netip"
	"strings"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/route"
	"github.com/forepost/forepost/relay/sts"
	"github.com/forepost/forepost/relay/trail"
)

// security is what is asked of a connection to one host, and why.
type security struct {
	tls      route.TLSPolicy // TLSDANE only with dane
	who      string          // who asks for it: "the route"
	dane     *tlsa           // what TLSDANE is checked against
	onward   bool            // REQUIRETLS, RFC 8689: the server must promise the same
	watch    bool            // an MTA-STS policy in testing: a certificate that does not hold is reported
	why      string          // why it is no more, for the trail
	user     string
	password string
	sources  []netip.Addr // of this host, to connect from

	session *trail.Session // the policy, for reports; nil where none are made
	result  string         // what failed of the policy itself
	id      mail.ID
}

// guard knows what security a domain asks for, for one delivery to it.
type guard struct {
	c       *Client
	r       *route.Route
	domain  string
	id      mail.ID
	onward  bool        // the sender asked for REQUIRETLS
	relaxed func() bool // whether the sender asked for delivery before security; nil: no
	sts     sts.Found
}

// guard asks for what a domain says of itself. What its hosts say is asked host by
// host.
func (c *Client) guard(ctx context.Context, r *route.Route, domain string) *guard {
	g := &guard{c: c, r: r, domain: domain, sts: sts.Found{Policy: sts.Policy{Mode: sts.None}}}
	if r.Kind == route.MX && c.o.STS != nil && !strings.HasPrefix(domain, "[") {
		g.sts = c.o.STS.Policy(ctx, domain)
	}
	return g
}

// guard is that of a message.
func (t *transport) guard(ctx context.Context, domain string, m *mailing) *guard {
	g := t.c.guard(ctx, t.r, domain)
	g.id, g.onward = m.env.ID, m.env.RequireTLS
	if !g.onward && t.r.TLS != route.TLSDANE {
		g.relaxed = m.relaxed
	}
	return g
}

// host is what is asked of one host: what the route asks, and what the domain asks
// by DANE (RFC 7672) or, where the host has none, by MTA-STS (RFC 8461 section 2).
// The failure is one of not being able to meet that, or to find it out. A sender who
// says TLS-Required: No is served as if the domain asked for nothing (RFC 8689
// section 5); what the route asks stands.
func (g *guard) host(ctx context.Context, h route.Host) (security, *failure) {
	base := g.base(h)
	if h.Unix != "" {
		return base, nil // nobody is on the way
	}
	sec, fail := g.ask(ctx, h)
	if (fail != nil || sec.tls > base.tls) && g.relaxed != nil && g.relaxed() {
		base.why = "the sender asked for delivery before security (TLS-Required: No)"
		return base, nil
	}
	if fail != nil {
		fail.host = h.Name
		g.c.tell(sec, h.Name, fail)
	}
	return sec, fail
}

// base is what the route itself asks.
func (g *guard) base(h route.Host) security {
	sec := security{tls: min(g.r.TLS, route.TLSVerify), who: "the route", user: g.r.User, password: g.r.Secret, sources: g.r.From(), id: g.id}
	if g.r.Kind == route.MX {
		sec.session = &trail.Session{Domain: g.domain, Policy: "no-policy-found", Host: h.Name}
	}
	return sec
}

// ask puts together what all of them ask.
func (g *guard) ask(ctx context.Context, h route.Host) (security, *failure) {
	sec := g.base(h)
	var why []string
	for _, ask := range []func(context.Context, route.Host, *security) (string, *failure){g.ask8689, g.askDANE, g.askSTS} {
		said, fail := ask(ctx, h, &sec)
		if fail != nil {
			return sec, fail
		}
		if said != "" {
			why = append(why, said)
		}
	}
	sec.why = strings.Join(why, "; ")
	return sec, nil
}

// ask8689 is what REQUIRETLS asks, RFC 8689 section 4.2.1: a host that was not
// chosen by somebody on the way, and its certificate.
func (g *guard) ask8689(_ context.Context, h route.Host, sec *security) (string, *failure) {
	if !g.onward {
		return "", nil
	}
	sec.onward = true
	if sec.tls < route.TLSVerify {
		sec.tls, sec.who = route.TLSVerify, "the sender (REQUIRETLS)"
	}
	if h.Signed || g.sts.Mode == sts.Enforce && g.sts.Match(h.Name) {
		return "", nil
	}
	return "", &failure{reply: mail.Refuse(50, 7, 30, fmt.Sprintf("The sender asked for REQUIRETLS, and nothing proves that %s is a mail server of %s: its MX records are not signed (DNSSEC), and it has no MTA-STS policy that names it", h.Name, g.domain))}
}

// askDANE looks for TLSA records (RFC 7672 section 2). They count only where the
// answers that led to them were authentic; where the DNS cannot tell, the host is
// not used: who can silence the DNS must not be able to take TLS away.
func (g *guard) askDANE(ctx context.Context, h route.Host, sec *security) (string, *failure) {
	why, list, base, err := g.tlsaOf(ctx, h)
	switch {
	case err != nil:
		sec.report("tlsa", nil, nil)
		return "", &failure{result: "dnssec-invalid", reply: mail.Defer(51, 7, 5, fmt.Sprintf("The DNS could not tell the TLSA records of %s, and mail does not go there without knowing: %v", h.Name, err))}
	case len(list) == 0 && g.r.TLS == route.TLSDANE:
		return "", &failure{result: "dane-required", reply: mail.Defer(51, 7, 10, fmt.Sprintf("The route demands DANE, and there is none: %s", why))}
	case len(list) == 0:
		return why, nil
	}
	sec.report("tlsa", quoted(list), nil)
	good := usable(list)
	if len(good) == 0 && g.r.TLS == route.TLSDANE {
		return "", &failure{result: "tlsa-invalid", reply: mail.Defer(51, 7, 10, fmt.Sprintf("The route demands DANE, and none of the TLSA records of %s can be used", h.Name))}
	}
	if len(good) == 0 { // RFC 7672 section 2.2: encrypted, but not authenticated
		sec.tls, sec.who, sec.result = max(sec.tls, route.TLSRequire), "the TLSA record of "+h.Name, "tlsa-invalid"
		return "none of the TLSA records of " + h.Name + " can be used, which asks for encryption alone", nil
	}
	sec.tls, sec.who = route.TLSDANE, "the TLSA record of "+h.Name
	sec.dane = &tlsa{base: base, names: []string{base}, records: good}
	if g.r.Kind == route.MX && g.domain != base { // RFC 7672 section 3.2.2
		sec.dane.names = append(sec.dane.names, g.domain)
	}
	return "", nil
}

// tlsaOf finds the authentic TLSA records of a host, and the name that they stand
// below; or says why there are none.
func (g *guard) tlsaOf(ctx context.Context, h route.Host) (why string, list []dns.TLSA, base string, err error) {
	switch {
	case g.c.o.DNS == nil || strings.HasPrefix(h.Name, "[") || len(h.Addrs) == 0 || g.r.Kind != route.MX && g.r.TLS != route.TLSDANE:
		return "", nil, "", nil
	case !h.Signed:
		return "no DANE: the MX records of " + g.domain + " are not signed", nil, "", nil
	}
	at, err := dns.LookupHosting(ctx, g.c.o.DNS, h.Name)
	if err != nil {
		return "", nil, "", err
	}
	if !at.Secure {
		return "no DANE: the addresses of " + h.Name + " are not signed", nil, "", nil
	}
	for _, base := range []string{at.Base, h.Name} {
		list, secure, err := dns.LookupTLSA(ctx, g.c.o.DNS, base, h.Addrs[0].Port())
		switch {
		case err != nil && !dns.IsNotFound(err):
			return "", nil, "", err
		case err == nil && secure && len(list) > 0:
			return "", list, base, nil
		}
	}
	return "no DANE: " + h.Name + " has no TLSA record that is signed", nil, "", nil
}

// askSTS is what the domain's MTA-STS policy asks of a host that has no DANE.
func (g *guard) askSTS(_ context.Context, h route.Host, sec *security) (string, *failure) {
	p := g.sts
	switch {
	case g.r.Kind != route.MX || g.c.o.STS == nil || sec.dane != nil:
		return "", nil
	case p.Mode == sts.None && p.Err != nil:
		if p.Err.Result != "" {
			sec.report("sts", nil, nil)
			sec.result = p.Err.Result
		}
		return "no MTA-STS policy: " + p.Err.Text, nil
	case p.Mode == sts.None:
		return "no MTA-STS policy", nil
	}
	if sec.result == "" { // the TLSA records that cannot be used are the worse news
		sec.report("sts", p.Lines(), p.MX)
	}
	named := p.Match(h.Name)
	switch {
	case p.Mode == sts.Testing && !named:
		sec.watch, sec.result = true, "validation-failure"
		return "the MTA-STS policy of " + g.domain + ", in testing, does not name " + h.Name, nil
	case p.Mode == sts.Testing:
		sec.watch = true
		return "the MTA-STS policy of " + g.domain + " is in testing", nil
	case !named:
		return "", &failure{result: "validation-failure", reply: mail.Defer(51, 7, 5, fmt.Sprintf("The MTA-STS policy of %s does not name %s", g.domain, h.Name))}
	}
	if sec.tls < route.TLSVerify {
		sec.tls, sec.who = route.TLSVerify, "the MTA-STS policy of "+g.domain
	}
	return "", nil
}

// report says under which policy a connection is reported.
func (s *security) report(policy string, text, mx []string) {
	if s.session != nil {
		s.session.Policy, s.session.Text, s.session.MX = policy, text, mx
	}
}
