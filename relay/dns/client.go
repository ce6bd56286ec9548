package dns

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"time"

	mdns "github.com/miekg/dns"

	"github.com/forepost/forepost/relay/meter"
)

// How the servers fare.
var (
	questions       = meter.Counter("forepost_dns_questions_total", "Questions that went out to DNS servers: ok (an answer, or that there is none), failed.", "result")
	questionSeconds = meter.Seconds("forepost_dns_question_duration_seconds", "How long DNS servers took to answer, or to fail.", "result")
)

// ClientOptions of NewClient. The zero value asks the system's servers.
type ClientOptions struct {
	Servers []string         // "192.0.2.53", "[2001:db8::53]:5353"; default: those of /etc/resolv.conf
	Timeout time.Duration    // for one server to answer once; default 3 s
	TrustAD Trust            // whose AD bit is believed
	Now     func() time.Time // for the metrics
	Log     *slog.Logger
}

// Trust is whose AD bit is believed: it is set by who validated, and can be set by
// whoever is on the way (RFC 7672 section 2.1).
type Trust uint8

// The sorts of trust.
const (
	TrustLoopback Trust = iota // a server on loopback: nobody is on the way
	TrustAll                   // each of Servers, which the operator vouches for, and the way there
	TrustNone
)

func (t Trust) in(server string) bool {
	ap, err := netip.ParseAddrPort(server)
	return t == TrustAll || t == TrustLoopback && err == nil && ap.Addr().IsLoopback()
}

// Client is a Resolver that asks recursive servers: over UDP with EDNS0, over
// TCP where an answer was cut off. It asks the server that answered last first,
// the others when it fails, and all of them twice if nobody answers.
type Client struct {
	servers []server
	timeout time.Duration
	now     func() time.Time
	log     *slog.Logger
	first   atomic.Uint32 // the server that answered last
}

type server struct {
	addr    string
	trusted bool // its AD bit is believed
}

// rounds is how often a server that does not answer is asked.
const rounds = 2

// NewClient makes a Client. It does not ask anything yet.
func NewClient(o ClientOptions) *Client {
	c := &Client{timeout: o.Timeout, now: o.Now, log: o.Log}
	if c.timeout <= 0 {
		c.timeout = 3 * time.Second
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	addrs := o.Servers
	if len(addrs) == 0 {
		addrs = systemServers("/etc/resolv.conf")
	}
	for _, a := range addrs {
		a = withPort(a)
		c.servers = append(c.servers, server{a, o.TrustAD.in(a)})
	}
	return c
}

// systemServers reads resolv.conf; without one the server is this machine,
// resolv.conf(5).
func systemServers(path string) []string {
	conf, err := mdns.ClientConfigFromFile(path)
	if err != nil || len(conf.Servers) == 0 {
		return []string{"127.0.0.1:53"}
	}
	return conf.Servers
}

func withPort(s string) string {
	if _, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return net.JoinHostPort(strings.Trim(s, "[]"), "53")
	}
	if _, _, err := net.SplitHostPort(s); err != nil {
		return net.JoinHostPort(s, "53")
	}
	return s
}

// Query implements Resolver.
func (c *Client) Query(ctx context.Context, name string, qtype uint16) (Answer, error) {
	asked, err := canonical(name, qtype)
	if err != nil {
		return Answer{}, err
	}
	at, ttl, authentic := asked, maxTTL, true
	// A server that does not chase CNAMEs itself costs a question for each.
	for links := 0; links <= maxChain; links++ {
		if err := spend(ctx, name, qtype); err != nil {
			return Answer{}, err
		}
		msg, trusted, err := c.ask(ctx, at, qtype)
		if err != nil {
			return Answer{}, err
		}
		rrs, end, n, t := follow(msg.Answer, at, qtype)
		links, ttl = links+n, min(ttl, t)
		authentic = authentic && trusted && msg.AuthenticatedData
		switch {
		case len(rrs) > 0:
			return Answer{RRs: rrs, Authentic: authentic, TTL: ttl}, nil
		case links > maxChain:
			return Answer{}, chainError(name, qtype)
		case msg.Rcode == mdns.RcodeNameError:
			return Answer{}, &Error{Kind: NXDomain, Name: name, Type: qtype, Text: "the name does not exist", TTL: min(ttl, negativeTTL(msg.Ns))}
		case n == 0 || negativeTTL(msg.Ns) > 0:
			return Answer{}, &Error{Kind: NoData, Name: name, Type: qtype, Text: "the name has no records of this type", TTL: min(ttl, negativeTTL(msg.Ns))}
		}
		at = end
	}
	return Answer{}, chainError(name, qtype)
}

func chainError(name string, qtype uint16) error {
	return &Error{Kind: Temporary, Name: name, Type: qtype, Text: fmt.Sprintf("more than %d CNAMEs, or a loop of them", maxChain)}
}

// ask puts one question to the servers until one gives an answer that can be
// used.
func (c *Client) ask(ctx context.Context, name string, qtype uint16) (msg *mdns.Msg, trusted bool, err error) {
	first := int(c.first.Load())
	for round := 0; round < rounds; round++ {
		timedOut := false
		for i := range c.servers {
			at := (first + i) % len(c.servers)
			s := c.servers[at]
			msg, err = c.askOne(ctx, s.addr, name, qtype)
			if err == nil {
				c.first.Store(uint32(at))
				return msg, s.trusted, nil
			}
			if ctx.Err() != nil {
				return nil, false, err
			}
			timedOut = timedOut || err.(*Error).Timeout
		}
		if !timedOut {
			break // they all said no: asking again at once changes nothing
		}
	}
	return nil, false, err
}

// askOne puts a question to one server and counts it.
func (c *Client) askOne(ctx context.Context, addr, name string, qtype uint16) (*mdns.Msg, error) {
	start, result := c.now(), "ok"
	msg, err := exchange(ctx, addr, name, qtype, c.timeout)
	if err != nil {
		result = "failed"
		c.log.Debug("DNS server gave no answer", "server", addr, "name", name, "type", mdns.TypeToString[qtype], "error", err)
	}
	questions.WithLabelValues(result).Inc()
	questionSeconds.WithLabelValues(result).Observe(c.now().Sub(start).Seconds())
	return msg, err
}
