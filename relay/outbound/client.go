package outbound

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/meter"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/route"
)

// What deliveries come to.
var (
	recipients = meter.Counter("forepost_outbound_recipients_total", "Recipients that a delivery was tried for, by what came of it.", "route", "outcome")
	sessions   = meter.Counter("forepost_outbound_sessions_total", "Connections that took mail: new, kept (from a delivery before), failed.", "route", "kind")
)

var outcomeNames = map[queue.Outcome]string{queue.Delivered: "delivered", queue.Soft: "soft", queue.Hard: "hard"}

// Client carries mail over SMTP or LMTP. Routes share its kept connections. It
// is safe for concurrent use.
type Client struct {
	o    Options
	lmtp bool
	pool *pool
	tls  *tls.Config // handshake completes it
}

// NewSMTP makes the client for routes of the kinds MX and Hosts.
func NewSMTP(o Options) *Client { return newClient(o, false) }

// NewLMTP makes the client for routes of the kind LMTP (RFC 2033).
func NewLMTP(o Options) *Client { return newClient(o, true) }

func newClient(o Options, lmtp bool) *Client {
	if o.Dialer == nil {
		o.Dialer = dialer(netip.Addr{}).DialContext
	}
	if o.DialFrom == nil {
		o.DialFrom = dialFrom
	}
	if o.MaxIdle == 0 {
		o.MaxIdle = 20
	}
	if o.KeepIdle == 0 {
		o.KeepIdle = 5 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Client{o: o, lmtp: lmtp}
	c.pool = &pool{perHost: o.MaxIdle, keep: o.KeepIdle, now: o.Now, idle: map[string][]*session{}}
	c.tls = o.clientTLS()
	return c
}

// clientTLS is a configuration that verifies nothing by itself: handshake does, by
// what is asked of each connection.
func (o Options) clientTLS() *tls.Config {
	conf := &tls.Config{}
	if o.TLS != nil {
		conf = o.TLS.Clone()
	}
	if conf.MinVersion == 0 {
		conf.MinVersion = tls.VersionTLS12 // RFC 8996
	}
	conf.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	conf.InsecureSkipVerify = true
	return conf
}

// For is the transport of a route.
func (c *Client) For(r *route.Route) queue.Transport { return &transport{c, r} }

// Close ends the connections that are kept. Deliveries under way end with
// their contexts.
func (c *Client) Close() { c.pool.close() }

// transport carries mail over one route.
type transport struct {
	c *Client
	r *route.Route
}

// Deliver implements queue.Transport.
func (t *transport) Deliver(ctx context.Context, env mail.Envelope, msg *mail.Message) []queue.Attempt {
	m, err := newMailing(env, msg, t.c.o.Now().Add(patience))
	if err != nil {
		m.fail(all(env), unreadable(err))
		return m.attempts
	}
	for _, to := range t.groups(env) {
		t.deliver(ctx, m, to)
	}
	for _, a := range m.attempts {
		recipients.WithLabelValues(t.r.Name, outcomeNames[a.Outcome]).Inc()
	}
	return m.attempts
}

func all(env mail.Envelope) []int {
	out := make([]int, len(env.To))
	for i := range out {
		out[i] = i
	}
	return out
}

// groups parts recipients that have different hosts: by MX each domain has its
// own. The queue sends those of one hop only, which makes one group.
func (t *transport) groups(env mail.Envelope) [][]int {
	if t.r.Kind != route.MX {
		return [][]int{all(env)}
	}
	var out [][]int
	at := map[string]int{}
	for i, to := range env.To {
		g, ok := at[to.Address.Domain]
		if !ok {
			g = len(out)
			at[to.Address.Domain], out = g, append(out, nil)
		}
		out[g] = append(out[g], i)
	}
	return out
}

// deliver tries the hosts in turn until every recipient has an answer.
func (t *transport) deliver(ctx context.Context, m *mailing, to []int) {
	if len(to) == 0 {
		return
	}
	domain := m.env.To[to[0]].Address.Domain
	hosts, err := t.c.o.Finder.Hosts(ctx, t.r, domain)
	if err != nil || len(hosts) == 0 {
		m.fail(to, nowhere(err, domain))
		return
	}
	g := t.guard(ctx, domain, m)
	worst := t.overHosts(ctx, g, hosts, m, to)
	if len(m.pending(to)) > 0 && m.unconverted { // no host takes the message as it is
		m.anyForm = true
		worst = t.overHosts(ctx, g, hosts, m, to)
	}
	if worst == nil { // nobody was asked: ctx had ended
		worst = &failure{reply: mail.Defer(51, 4, 0, "The delivery was cut off before it began")}
	}
	m.fail(to, worst)
}

// overHosts tries the hosts in turn, and returns the failure that stands for them.
func (t *transport) overHosts(ctx context.Context, g *guard, hosts []route.Host, m *mailing, to []int) (worst *failure) {
	for _, h := range hosts {
		left := m.open(to)
		if len(left) == 0 || ctx.Err() != nil || t.c.o.Now().After(m.until) {
			break
		}
		if fail := t.try(ctx, g, h, m, left); fail != nil {
			t.c.o.Log.Info("host failed", "id", string(m.env.ID), "host", fail.host, "reply", fail.reply.String())
			worst = weigh(worst, fail)
		}
	}
	return worst
}

// nowhere is the failure of having no host.
func nowhere(err error, domain string) *failure {
	var r mail.Reply
	if errors.As(err, &r) && !r.IsZero() {
		return &failure{reply: r}
	}
	text := fmt.Sprintf("No host was found for %s", domain)
	if err != nil {
		text += ": " + err.Error()
	}
	return &failure{reply: mail.Defer(51, 4, 4, text)}
}

// weigh chooses which of two failures stands for all hosts: one that leaves
// hope before one that does not, what a server said before what we say, and the
// host that was preferred.
func weigh(a, b *failure) *failure {
	switch {
	case a == nil:
		return b
	case a.reply.Class != b.reply.Class:
		if a.reply.Class == mail.Transient {
			return a
		}
		return b
	case b.remote && !a.remote:
		return b
	}
	return a
}

// try carries the message over a host: on a kept connection if there is one,
// else, or if that turns out to be dead before the message went out, on a new one.
func (t *transport) try(ctx context.Context, g *guard, h route.Host, m *mailing, to []int) *failure {
	sec, fail := g.host(ctx, h)
	if fail != nil {
		sessions.WithLabelValues(t.r.Name, "failed").Inc()
		return fail
	}
	key := poolKey(h, sec)
	if s := t.c.pool.get(key); s != nil {
		sessions.WithLabelValues(t.r.Name, "kept").Inc()
		s.bind(ctx)
		if t.finish(key, s, s.carry(m, to)) == nil {
			return nil
		}
		to = m.pending(to)
		if len(to) == 0 {
			return nil
		}
	}
	s, fail := t.c.connect(ctx, h, sec, m.until)
	if fail != nil {
		sessions.WithLabelValues(t.r.Name, "failed").Inc()
		return fail
	}
	sessions.WithLabelValues(t.r.Name, "new").Inc()
	return t.finish(key, s, s.carry(m, to))
}

// finish keeps the session or ends it.
func (t *transport) finish(key string, s *session, fail *failure) *failure {
	if !s.release() || fail != nil {
		s.broken = s.broken || fail != nil && !fail.remote && !fail.fit
		s.quit()
		return fail
	}
	t.c.pool.put(key, s)
	return nil
}

// poolKey tells which connections are as good as each other.
func poolKey(h route.Host, sec security) string {
	where := h.Unix
	if len(h.Addrs) > 0 {
		where = h.Addrs[0].String()
	}
	return fmt.Sprintf("%s|%s|%d|%t|%s|%s|%s|%v", h.Name, where, sec.tls, sec.onward, sec.dane.key(), sec.user, sec.password, sec.sources)
}
