package sts

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/meter"
)

var fetches = meter.Counter("forepost_sts_fetches_total", "MTA-STS policies that were asked for: ok, failed.", "result")

// Options of Open.
type Options struct {
	Dir string       // where policies are kept; "" keeps them in memory alone
	DNS dns.Resolver // for _mta-sts and the policy host
	// Dial connects to policy hosts (mta-sts.example.com:443). Without it, only
	// addresses of the open internet are connected to.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	TLS  *tls.Config // roots; nil for the system's
	Now  func() time.Time
	Log  *slog.Logger
}

const (
	// maxKept bounds how many policies are kept. There are some ten thousand in the
	// world.
	maxKept = 50_000
	// again is how long a policy host that failed is left alone: RFC 8461 section 3.3
	// asks for five minutes at least.
	again = 5 * time.Minute
	// renewAfter is how old a policy gets before it is asked for again in the
	// background, RFC 8461 section 3.3: well before it ends.
	renewAfter = 24 * time.Hour
	every      = 10 * time.Minute // between two looks for what is old
)

// Found is what is known of a domain's policy.
type Found struct {
	Policy // Mode None: nothing is asked
	ID     string
	// Err is why there is no policy, or no newer one, although the domain has one.
	Err *Error
}

// kept is a policy that was fetched.
type kept struct {
	Domain  string    `json:"domain"`
	ID      string    `json:"id"`
	Policy  Policy    `json:"policy"`
	Fetched time.Time `json:"fetched"`
}

func (k *kept) until() time.Time { return k.Fetched.Add(k.Policy.MaxAge) }

// failed is a fetch that failed.
type failed struct {
	id  string
	err *Error
	at  time.Time
}

// Cache finds policies and keeps them until they end. It is safe for concurrent
// use.
type Cache struct {
	o      Options
	http   *http.Client
	flight singleflight.Group

	mu     sync.Mutex
	kept   map[string]*kept
	failed map[string]failed
}

// Open reads what was kept.
func Open(o Options) (*Cache, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Cache{o: o, http: client(&o), kept: map[string]*kept{}, failed: map[string]failed{}}
	return c, c.load()
}

// Policy finds the policy of a domain (as in mail.Address). What could not be
// fetched asks nothing (RFC 8461 section 3.3), unless one from before still holds.
func (c *Cache) Policy(ctx context.Context, domain string) Found {
	if !isName(domain) {
		return Found{Policy: Policy{Mode: None}}
	}
	have := c.get(domain)
	id, announced, err := c.announced(ctx, domain)
	switch {
	case !announced || have != nil && have.ID == id:
		return found(have, err)
	}
	if f, ok := c.failedLately(domain); ok && f.id == id {
		return found(have, f.err)
	}
	fresh, err := c.renew(ctx, domain, id)
	if err != nil {
		return found(have, err)
	}
	return found(fresh, nil)
}

func found(k *kept, err *Error) Found {
	if k == nil {
		return Found{Policy: Policy{Mode: None}, Err: err}
	}
	return Found{Policy: k.Policy, ID: k.ID, Err: err}
}

// announced asks the DNS for the ID of a domain's policy.
func (c *Cache) announced(ctx context.Context, domain string) (string, bool, *Error) {
	records, err := dns.LookupTXT(ctx, c.o.DNS, "_mta-sts."+domain)
	if err != nil {
		if dns.IsNotFound(err) {
			return "", false, nil
		}
		return "", false, &Error{Text: "the DNS could not tell: " + err.Error()}
	}
	id, ok := ParseRecord(records)
	return id, ok, nil
}

// renew fetches a policy and keeps it. Many who ask at once wait for the same fetch,
// which ends with nobody's patience in particular.
func (c *Cache) renew(ctx context.Context, domain, id string) (*kept, *Error) {
	ch := c.flight.DoChan(domain+" "+id, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTime)
		defer cancel()
		p, err := c.fetch(ctx, domain)
		if err != nil {
			fetches.WithLabelValues("failed").Inc()
			c.o.Log.Warn("an MTA-STS policy could not be fetched", "domain", domain, "error", err.Text)
			c.fail(domain, failed{id, err, c.o.Now()})
			return nil, err
		}
		fetches.WithLabelValues("ok").Inc()
		k := &kept{domain, id, p, c.o.Now().UTC()}
		c.keep(k)
		return k, nil
	})
	select {
	case r := <-ch:
		if r.Err != nil {
			return nil, r.Err.(*Error)
		}
		return r.Val.(*kept), nil
	case <-ctx.Done():
		return nil, &Error{ResultFetch, "there was no time to fetch the policy"}
	}
}

// get is the policy that is kept, unless it has ended.
func (c *Cache) get(domain string) *kept {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.kept[domain]
	if k != nil && !k.until().After(c.o.Now()) {
		delete(c.kept, domain)
		c.remove(domain)
		return nil
	}
	return k
}

func (c *Cache) failedLately(domain string) (failed, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.failed[domain]
	return f, ok && c.o.Now().Sub(f.at) < again
}

func (c *Cache) fail(domain string, f failed) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.failed) >= maxKept {
		clear(c.failed)
	}
	c.failed[domain] = f
}

// keep remembers a policy. Where there are too many, the one that ends first goes.
func (c *Cache) keep(k *kept) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.failed, k.Domain)
	c.kept[k.Domain] = k
	if len(c.kept) > maxKept {
		var first *kept
		for _, other := range c.kept {
			if first == nil || other.until().Before(first.until()) {
				first = other
			}
		}
		delete(c.kept, first.Domain)
		c.remove(first.Domain)
	}
	if err := c.write(k); err != nil {
		c.o.Log.Error("an MTA-STS policy could not be written; it is kept until the next restart", "domain", k.Domain, "error", err)
	}
}

// Run renews policies in the background until ctx ends.
func (c *Cache) Run(ctx context.Context) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		c.Refresh(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Refresh fetches the policies that are old once more. One that cannot be fetched
// is kept until it ends.
func (c *Cache) Refresh(ctx context.Context) {
	for _, domain := range c.old() {
		have := c.get(domain)
		if _, lately := c.failedLately(domain); have == nil || lately || ctx.Err() != nil {
			continue
		}
		id, announced, _ := c.announced(ctx, domain)
		if !announced {
			id = have.ID
		}
		c.renew(ctx, domain, id) // it logs and remembers a failure
	}
}

// old are the domains whose policies are to be renewed.
func (c *Cache) old() (domains []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for domain, k := range c.kept {
		if c.o.Now().Sub(k.Fetched) >= min(renewAfter, k.Policy.MaxAge/2) {
			domains = append(domains, domain)
		}
	}
	return domains
}

// isName tells whether a domain can have a policy, and a file of its name.
func isName(domain string) bool {
	if len(domain) > 240 || !strings.Contains(domain, ".") || strings.HasPrefix(domain, ".") {
		return false
	}
	for i := 0; i < len(domain); i++ {
		c := domain[i]
		if !('a' <= c && c <= 'z') && !('0' <= c && c <= '9') && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return true
}
