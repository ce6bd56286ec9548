package appliance

import (
	"fmt"
	"maps"
	"os"
	"strings"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/arc"
	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/filters/dkim"
	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/route"
	"github.com/forepost/forepost/relay/srs"
	"github.com/forepost/forepost/relay/state"
)

// live is one configuration in force: everything that a reload swaps, built
// whole before it is put in place.
type live struct {
	settings *policies.Settings
	policies *policies.Policies
	policyOf map[string]string        // by listener
	plans    map[string]pipeline.Plan // by listener; those that a reload took away keep theirs for who is still inside
	domains  map[string]*policies.Domain
	retries  map[string]policies.Retry // by route
	table    *route.Table
	signer   pipeline.SelectiveSigner
	sealer   pipeline.Sealer
	dns      dns.Resolver
	srs      *srs.Rewriter // nil where senders are not rewritten
	memory   state.Store
	certs    *certSet
	loaded   time.Time
	bundle   *policies.Bundle // what it was made of

	directories directories
	read        map[string]time.Time // when lists of directories were last read
}

// ConfigError is a configuration with mistakes.
type ConfigError struct {
	Path        string
	Diagnostics policies.Diagnostics
	// Err is what only making the parts showed (a filter's setting, a key), with
	// file and line.
	Err error
}

func (e *ConfigError) Unwrap() error { return e.Err }

func (e *ConfigError) Error() string {
	if e.Err != nil {
		return e.Err.Error()
	}
	n := 0
	for _, d := range e.Diagnostics {
		if d.Severity == policies.SeverityError {
			n++
		}
	}
	if n == 1 {
		return fmt.Sprintf("%s has an error; it is told above", e.Path)
	}
	return fmt.Sprintf("%s has %d errors; they are told above", e.Path, n)
}

// load reads the configuration.
func load(o Options, strict bool) (*policies.Bundle, *policies.Config, policies.Diagnostics, error) {
	bundle, cfg, diags := policies.Pack(o.Config, policies.Options{Kinds: builtin.Kinds(), Vars: o.Vars, Strict: strict, Now: o.Now})
	if diags.HasErrors() {
		return bundle, nil, diags, &ConfigError{Path: o.Config, Diagnostics: diags}
	}
	if o.Data != "" {
		cfg.Settings.DataDir = o.Data
	}
	return bundle, cfg, diags, nil
}

// build makes what is in force of a configuration that was read. old is what
// was in force before, or nil.
func (a *Appliance) build(cfg *policies.Config, old *live) (l *live, err error) {
	s := cfg.Settings
	l = &live{settings: s, loaded: a.o.Now(), policyOf: map[string]string{}, plans: map[string]pipeline.Plan{}, domains: map[string]*policies.Domain{},
		retries: map[string]policies.Retry{}}
	if l.dns, err = a.resolver(s.DNS, old); err != nil {
		return nil, err
	}
	a.recallLists(l)
	if l.memory, err = a.stateFor(s); err != nil {
		return nil, err
	}
	if l.directories, err = a.directories(s, old); err != nil {
		return nil, err
	}
	l.policies, err = cfg.Build(filters.Deps{Hostname: s.Hostname, DNS: l.dns, State: l.memory, Now: a.o.Now, Log: a.log})
	if err != nil {
		return nil, err
	}
	if old != nil {
		maps.Copy(l.plans, old.plans)
	}
	for _, ls := range s.Listeners {
		l.policyOf[ls.Name] = ls.Policy
		l.plans[ls.Name], _ = l.policies.Plan(ls.Policy)
	}
	if ls, ok := a.sendmailListener(s); ok {
		l.policyOf[ls.Name] = ls.Policy
		l.plans[ls.Name], _ = l.policies.Plan(ls.Policy)
	}
	for i := range s.Domains {
		l.domains[s.Domains[i].Name] = &s.Domains[i]
	}
	if l.table, err = a.table(s, l.dns); err != nil {
		return nil, err
	}
	if l.srs, err = a.forwarder(s); err != nil {
		return nil, err
	}
	for _, r := range s.Routes {
		l.retries[r.Name] = r.Retry
	}
	if err = checkKeys(s); err != nil {
		return nil, err
	}
	if l.signer, err = dkim.NewSigner(keys(s)); err != nil {
		return nil, err
	}
	if l.sealer, err = arc.NewSealer(keys(s), a.o.Now); err != nil {
		return nil, err
	}
	var had *certSet
	if old != nil {
		had = old.certs
	}
	l.certs, err = a.certificates(s, had) // last: what it starts must be ended
	return l, err
}

// resolver makes the DNS of a configuration, or keeps the one that is there,
// with its cache, where nothing changed.
func (a *Appliance) resolver(s policies.DNS, old *live) (dns.Resolver, error) {
	if old != nil && fmt.Sprint(old.settings.DNS) == fmt.Sprint(s) && s.Zone == "" {
		return old.dns, nil
	}
	if s.Zone != "" {
		return dns.NewZone(s.Zone)
	}
	client := dns.NewClient(dns.ClientOptions{Servers: s.Resolvers, Timeout: s.Timeout, TrustAD: trusts[s.DNSSEC], Now: a.o.Now, Log: a.log})
	return dns.NewCache(client, a.o.Now, 0), nil
}

var trusts = map[string]dns.Trust{"auto": dns.TrustLoopback, "trust": dns.TrustAll, "off": dns.TrustNone}

// keys are the DKIM keys of all domains.
func keys(s *policies.Settings) map[string][]dkim.Key {
	keys := map[string][]dkim.Key{}
	for _, d := range s.Domains {
		for _, k := range d.DKIM {
			keys[d.Name] = append(keys[d.Name], dkim.Key{Selector: k.Selector, PEM: string(k.Key)})
		}
	}
	return keys
}

// table makes the routes of a configuration.
func (a *Appliance) table(s *policies.Settings, r dns.Resolver) (*route.Table, error) {
	t := route.TableOptions{Domains: map[string]string{imapstore.QuarantineAddress("x").Domain: "store"},
		Resolver: r, Port: a.o.MXPort, Self: self(s)}
	for _, d := range s.Domains {
		t.Domains[d.Name] = d.Route
	}
	for _, rt := range s.Routes {
		one, err := routeOf(rt)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: route %q: %w", rt.At.File, rt.At.Line, rt.Name, err)
		}
		t.Routes = append(t.Routes, one)
	}
	return route.NewTable(t)
}

func routeOf(r policies.Route) (*route.Route, error) {
	out := &route.Route{Name: r.Name, Random: r.Strategy == "balance", User: r.User, Secret: string(r.Password), Limit: r.Concurrency, Pool: r.Sources}
	kinds := map[string]route.Kind{"mx": route.MX, "hosts": route.Hosts, "lmtp": route.LMTP, "store": route.Store}
	out.Kind = kinds[r.Kind]
	out.TLS = map[string]route.TLSPolicy{"require": route.TLSRequire, "verify": route.TLSVerify, "dane": route.TLSDANE}[r.TLS]
	for _, to := range r.To {
		t, err := target(to)
		if err != nil {
			return nil, err
		}
		out.To = append(out.To, t)
	}
	return out, nil
}

// postmasterOf is where mail for <Postmaster> goes.
func postmasterOf(s *policies.Settings) mail.Address {
	if !s.Postmaster.IsNull() {
		return s.Postmaster
	}
	return mail.Address{Local: "postmaster", Domain: s.Hostname}
}

// nodeName distinguishes the IDs of nodes: the host's name.
func nodeName(s *policies.Settings) string {
	if h, err := os.Hostname(); err == nil {
		return strings.ToLower(h)
	}
	return s.Hostname
}
