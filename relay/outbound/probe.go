package outbound

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/sync/singleflight"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/route"
	"github.com/forepost/forepost/relay/state"
)

// How long the answers of a Prober hold, and how many it remembers.
const (
	knownTime   = time.Hour
	unknownTime = 5 * time.Minute
	maxProbes   = 10000
)

// Prober asks the next server whether it would take mail for a recipient
// (callout), for domains whose recipients are known only there. It remembers
// the answers, each for the route whose server gave it; nothing but its own
// probes fills that memory. It is safe for concurrent use.
type Prober struct {
	c      *Client
	flight singleflight.Group

	mu     sync.Mutex
	lru    *simplelru.LRU[string, probed]
	rooms  map[string]chan struct{} // by route: questions under way
	memory func() state.Store       // nil: it does not survive a restart
	limits func() ProbeLimits       // nil: none
}

type probed struct {
	known bool
	reply mail.Reply // the refusal, where not known
	until time.Time
}

// NewProber makes a Prober that connects as c does, and is for routes of c's
// kinds.
func NewProber(c *Client) *Prober {
	p := &Prober{c: c, rooms: map[string]chan struct{}{}}
	p.lru, _ = simplelru.NewLRU[string, probed](maxProbes, nil) // fails for a size of 0 only
	return p
}

// Probe tells whether the server of a route takes mail for an address: known,
// or the server's refusal. An error is that nobody could tell now; it is a
// mail.Reply, transient, and not remembered. asker names for whom it is asked, as
// limits count them; "" is somebody trusted. One who asks too much gets a *Limited.
func (p *Prober) Probe(ctx context.Context, r *route.Route, to mail.Address, asker string) (refusal mail.Reply, known bool, err error) {
	key := r.Name + " " + to.String()
	if a, ok := p.get(ctx, key); ok {
		probes.WithLabelValues("remembered").Inc()
		return a.reply, a.known, nil
	}
	if err := p.charge(ctx, r, asker); err != nil {
		return mail.Reply{}, false, err
	}
	ch := p.flight.DoChan(key, func() (any, error) {
		// Others may wait for the same answer: it does not end with the first.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTime+probeTime)
		defer cancel()
		return p.inTurn(ctx, r, to, key)
	})
	select {
	case res := <-ch:
		a := res.Val.(probed)
		if res.Err == nil && !a.known {
			p.surcharge(ctx, asker)
		}
		return a.reply, a.known, res.Err
	case <-ctx.Done():
		return mail.Reply{}, false, mail.Defer(51, 4, 1, "The next server did not answer in time")
	}
}

// inTurn asks when it is this question's turn, and remembers the answer.
func (p *Prober) inTurn(ctx context.Context, r *route.Route, to mail.Address, key string) (a probed, err error) {
	done, fail := p.turn(ctx, r)
	if fail == nil {
		a, fail = p.ask(ctx, r, to)
		done()
	}
	if fail != nil {
		probes.WithLabelValues("doubt").Inc()
		return probed{}, fail.reply
	}
	probes.WithLabelValues(map[bool]string{true: "known", false: "unknown"}[a.known]).Inc()
	p.put(ctx, key, a)
	return a, nil
}

// probeTime is how long the dialogue of a probe may take: a client waits for
// the answer.
const probeTime = 30 * time.Second

// ask tries the hosts of a route until one gives an answer.
func (p *Prober) ask(ctx context.Context, r *route.Route, to mail.Address) (probed, *failure) {
	hosts, err := p.c.o.Finder.Hosts(ctx, r, to.Domain)
	if err != nil || len(hosts) == 0 {
		return probed{}, doubt(nowhere(err, to.Domain))
	}
	g := p.c.guard(ctx, r, to.Domain)
	var last *failure
	for _, h := range hosts {
		sec, fail := g.host(ctx, h)
		var s *session
		if fail == nil {
			s, fail = p.c.connect(ctx, h, sec, p.c.o.Now().Add(probeTime))
		}
		if fail == nil {
			var a probed
			if a, fail = p.callout(s, to); fail == nil {
				return a, nil
			}
		}
		last = fail
		if ctx.Err() != nil {
			break
		}
	}
	return probed{}, doubt(last)
}

// doubt makes a failure one that leaves it open: what is wrong with the hosts
// says nothing about a recipient.
func doubt(f *failure) *failure {
	f.reply.Class = mail.Transient
	return f
}

// callout is MAIL FROM:<>, RCPT and QUIT.
func (p *Prober) callout(s *session, to mail.Address) (probed, *failure) {
	defer s.quit()
	defer s.release()
	if to.NeedsUTF8() && !s.has("SMTPUTF8") {
		return probed{reply: mail.Refuse(50, 6, 7, "The next server takes no addresses outside ASCII")}, nil
	}
	from := "MAIL FROM:<>"
	if to.NeedsUTF8() {
		from += " SMTPUTF8"
	}
	d := &dialogue{s: s, cmds: []string{from, "RCPT TO:" + to.Path()}, piped: s.has("PIPELINING")}
	r, fail := d.next(commandTime)
	if fail != nil {
		return probed{}, fail
	}
	if !r.ok() {
		return probed{}, s.ours(1, 8, fmt.Sprintf("%s takes no mail from the empty sender: %s", s.host, r.said()))
	}
	r, fail = d.next(commandTime)
	switch {
	case fail != nil:
		return probed{}, fail
	case r.ok():
		return probed{known: true}, nil
	case r.class() == 5:
		return probed{reply: r.reply()}, nil
	case r.class() == 4:
		return probed{}, s.refused(r)
	}
	return probed{}, s.odd(nil, r, "RCPT")
}
