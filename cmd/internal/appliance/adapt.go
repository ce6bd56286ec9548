package appliance

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/accounts"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/outbound"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/route"
	"github.com/forepost/forepost/relay/state"
)

// liveFinder is the route table in force.
type liveFinder struct{ a *Appliance }

func (f liveFinder) Find(to mail.Recipient) (*route.Route, error) { return f.a.live().table.Find(to) }

func (f liveFinder) Hosts(ctx context.Context, r *route.Route, domain string) ([]route.Host, error) {
	return f.a.live().table.Hosts(ctx, r, domain)
}

// localStore is the transport into our own store. It asks for the store when it
// delivers: the queue is made before it.
type localStore struct{ a *Appliance }

func (s localStore) Deliver(ctx context.Context, env mail.Envelope, msg *mail.Message) []queue.Attempt {
	env.To = s.a.detailFolders(env.To)
	return outbound.NewLocal(s.a.keep.store, s.a.log).Deliver(ctx, env, msg)
}

// transports makes what carries mail out.
func (a *Appliance) transports(s *policies.Settings) {
	o := outbound.Options{Hostname: s.Hostname, Finder: liveFinder{a}, DNS: liveDNS{a}, STS: livePolicies{a}, Trail: liveTrail{a}, Now: a.o.Now, Log: a.log.With("room", "outbound")}
	a.smtp = outbound.NewSMTP(o)
	a.lmtp = outbound.NewLMTP(o)
	a.probers = [2]*outbound.Prober{outbound.NewProber(a.smtp), outbound.NewProber(a.lmtp)}
	for _, p := range a.probers {
		p.Keep(func() state.Store { return a.live().memory })
		p.Bound(func() outbound.ProbeLimits {
			c := a.live().settings.Callout
			return outbound.ProbeLimits{Client: outbound.Rate(c.PerClient), Server: outbound.Rate(c.PerServer), Concurrent: c.Concurrent}
		})
	}
	a.undo.add("connections out", func(context.Context) error {
		a.smtp.Close()
		a.lmtp.Close()
		return nil
	})
}

// probe asks the next server whether a recipient exists.
func (a *Appliance) probe(ctx context.Context, asker string, to mail.Address) (known bool, refusal mail.Reply, err error) {
	r, err := a.live().table.Find(mail.Recipient{Address: to})
	if err != nil {
		return false, mail.Reply{}, err
	}
	prober := a.probers[0]
	switch r.Kind {
	case route.Store: // a rule of the configuration says callout, and we are the next server
		_, err := a.keep.book.Lookup(to)
		return err == nil, mail.Reply{}, nil
	case route.LMTP:
		prober = a.probers[1]
	}
	refusal, known, err = prober.Probe(ctx, r, to, asker)
	return known, refusal, err
}

// schedule is when a route's mail is tried again.
func (a *Appliance) schedule(name string) queue.Schedule {
	l := a.live()
	if l == nil {
		return queue.Schedule{}
	}
	r := l.retries[name]
	return queue.Schedule{First: r.First, Factor: r.Factor, Max: r.Max, Jitter: r.Jitter, Warn: r.Warn, Expire: r.Expire}
}

// Sign signs with the keys in force (pipeline.Signer).
func (a *Appliance) Sign(ctx context.Context, domain string, msg *mail.Message) ([]mail.Field, error) {
	return a.live().signer.Sign(ctx, domain, msg)
}

// SignWith signs with the keys in force as a rule has it (pipeline.SelectiveSigner).
func (a *Appliance) SignWith(ctx context.Context, domain string, how pipeline.Signing, msg *mail.Message) ([]mail.Field, error) {
	return a.live().signer.SignWith(ctx, domain, how, msg)
}

// Seal adds a link to an ARC chain with the keys in force (pipeline.Sealer).
func (a *Appliance) Seal(ctx context.Context, link pipeline.Link, msg *mail.Message) ([]mail.Field, error) {
	return a.live().sealer.Seal(ctx, link, msg)
}

// configureAccounts hands the configuration's accounts to the book.
func (a *Appliance) configureAccounts(s *policies.Settings) error {
	var list []accounts.Account
	for _, ac := range s.Accounts {
		list = append(list, accounts.Account{Name: ac.Address.String(), Password: string(ac.Password), Quota: ac.Quota, Aliases: ac.Aliases,
			Sending: accounts.Sending{Messages: accounts.Rate(ac.Sending.Messages), Recipients: accounts.Rate(ac.Sending.Recipients), Bytes: accounts.Rate(ac.Sending.Bytes)}})
	}
	return a.keep.book.Configure(list)
}

// makeMailboxes sees to it that every account and quarantine has its place.
func (a *Appliance) makeMailboxes(ctx context.Context, s *policies.Settings) error {
	want := map[string]int64{}
	for _, ac := range a.keep.book.List() {
		want[ac.Name] = ac.Quota
		if ac.Quota == 0 {
			want[ac.Name] = s.Store.Quota
		}
	}
	for _, q := range s.Quarantines {
		want[imapstore.QuarantinePrefix+strings.ToLower(q.Name)] = q.MaxSize
	}
	for name, quota := range want {
		err := a.keep.store.Create(ctx, name, imapstore.AccountOptions{Quota: quota})
		if errors.Is(err, imapstore.ErrExists) {
			err = a.keep.store.SetQuota(ctx, name, quota)
		}
		if err != nil {
			return fmt.Errorf("store: account %s: %w", name, err)
		}
	}
	return nil
}

// target reads a server of a route: host:port, or the path of a socket.
func target(s string) (route.Target, error) {
	if strings.HasPrefix(s, "/") {
		return route.Target{Host: s}, nil
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return route.Target{}, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return route.Target{}, fmt.Errorf("%q is not a port", port)
	}
	return route.Target{Host: host, Port: uint16(n)}, nil
}

// redisStores keeps connections to Redis over reloads.
type redisStores struct {
	mu   sync.Mutex
	open map[string]state.Store
}

func (r *redisStores) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for _, s := range r.open {
		errs = append(errs, s.Close())
	}
	r.open = nil
	return errors.Join(errs...)
}

// keptOpen is a store that somebody else closes.
type keptOpen struct{ state.Store }

// Close does nothing.
func (keptOpen) Close() error { return nil }

// stateFor is the memory that a configuration asks for: the embedded one, or
// Redis with the embedded one to fall back on.
func (a *Appliance) stateFor(s *policies.Settings) (state.Store, error) {
	if s.State.Backend == "" || s.State.Backend == "embedded" {
		return a.keep.local, nil
	}
	for _, r := range s.Redis {
		if r.Name != s.State.Backend {
			continue
		}
		a.redis.mu.Lock()
		defer a.redis.mu.Unlock()
		key := fmt.Sprintf("%+v %s %s", r, string(r.Password), s.State.OnAway)
		if have, ok := a.redis.open[key]; ok {
			return have, nil
		}
		o := state.RedisOptions{Address: r.Address, Username: r.Username, Password: string(r.Password), DB: r.DB, Prefix: r.Prefix}
		if r.TLS {
			o.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
		}
		remote, err := state.NewRedis(o, nil, a.log) // nil: Redis's own clock, so that the nodes' need not agree
		if err != nil {
			return nil, fmt.Errorf("redis %q: %w", r.Name, err)
		}
		if a.redis.open == nil {
			a.redis.open = map[string]state.Store{}
		}
		a.redis.open[key] = state.NewFallback(remote, keptOpen{a.keep.local}, s.State.OnAway != "closed", a.log)
		return a.redis.open[key], nil
	}
	return nil, fmt.Errorf("state: no redis block is called %q", s.State.Backend)
}

// deliverPlan is the plan for what a listener took: its Deliver rules are asked
// about each attempt. Mail of our own has none.
func (a *Appliance) deliverPlan(listener string) pipeline.Plan {
	if a.live() == nil || a.live().policyOf[listener] == "" {
		return nil
	}
	return a.PlanFor(listener)
}
