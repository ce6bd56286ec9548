package outbound

import (
	"context"
	"fmt"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/meter"
	"github.com/forepost/forepost/relay/route"
	"github.com/forepost/forepost/relay/state"
)

var probes = meter.Counter("forepost_callouts_total", "Recipients that the next server was to be asked about: known, unknown, doubt (it did not tell), remembered (not asked), or put off (client, server: which limit).", "result")

// Rate is so many in a time; the zero Rate is no limit.
type Rate struct {
	Max int64
	Per time.Duration
}

// ProbeLimits bound what a Prober asks, so that nobody makes it a means to wear
// the next server out, or to find out who is there.
type ProbeLimits struct {
	Client     Rate // of one asker; a recipient that turns out to be unknown counts ten times
	Server     Rate // of one route, whoever asks
	Concurrent int  // questions to one route at once; 0 for 10
}

// unknownCosts is what an unknown recipient counts for: honest senders rarely
// write to people who are not there, those who guess names hardly do anything else.
const unknownCosts = 10

// Limited is the answer to who asks too much: nobody was asked. It is a Reply
// (transient), and says why for the trail.
type Limited struct {
	Reply mail.Reply
	Why   string
}

// Error is the reply's text.
func (l *Limited) Error() string { return l.Reply.Error() }

// Unwrap gives the Reply.
func (l *Limited) Unwrap() error { return l.Reply }

// Bound sets what is asked for the limits in force, at each question. Without it
// there are none. It is called before the first Probe.
func (p *Prober) Bound(limits func() ProbeLimits) { p.limits = limits }

func (p *Prober) bounds() ProbeLimits {
	if p.limits == nil {
		return ProbeLimits{}
	}
	return p.limits()
}

// charge counts a question against the limits of who asks and of who is asked; an
// asker of "" has none of its own.
func (p *Prober) charge(ctx context.Context, r *route.Route, asker string) error {
	l := p.bounds()
	var windows []state.Window
	var refused []*Limited
	if w, ok := clientWindow(l, asker); ok {
		windows = append(windows, w)
		refused = append(refused, &Limited{mail.Defer(51, 7, 28, "Too many recipients that must be verified, try again later"),
			fmt.Sprintf("callout: %s asked for more than %d in %v (an unknown one counts %d times)", asker, l.Client.Max, l.Client.Per, unknownCosts)})
	}
	if l.Server.Max > 0 {
		windows = append(windows, state.Window{Key: "callout-to/" + r.Name, Max: l.Server.Max, Per: l.Server.Per})
		refused = append(refused, &Limited{mail.Defer(51, 4, 5, "Recipients cannot be verified so fast, try again later"),
			fmt.Sprintf("callout: route %s would be asked more than %d times in %v", r.Name, l.Server.Max, l.Server.Per)})
	}
	if len(windows) == 0 || p.memory == nil {
		return nil
	}
	taken, err := p.memory().Take(ctx, 1, windows...)
	if err != nil || taken.OK { // where nothing can be counted mail goes on
		return nil
	}
	lim := refused[taken.Over]
	probes.WithLabelValues(map[bool]string{true: "client", false: "server"}[lim.Reply.Subject[0] == 7]).Inc()
	return lim
}

func clientWindow(l ProbeLimits, asker string) (state.Window, bool) {
	return state.Window{Key: "callout-by/" + asker, Max: l.Client.Max, Per: l.Client.Per}, asker != "" && l.Client.Max > 0
}

// surcharge counts the rest of an unknown recipient against who asked for it.
func (p *Prober) surcharge(ctx context.Context, asker string) {
	w, ok := clientWindow(p.bounds(), asker)
	if !ok || p.memory == nil {
		return
	}
	for n := int64(unknownCosts - 1); n > 0; n /= 2 { // where there is less room, what there is
		if taken, err := p.memory().Take(ctx, n, w); err != nil || taken.OK {
			return
		}
	}
}

// turn waits until fewer than the allowed questions to a route are under way, and
// gives what ends this one.
func (p *Prober) turn(ctx context.Context, r *route.Route) (done func(), fail *failure) {
	n := p.bounds().Concurrent
	if n <= 0 {
		n = 10
	}
	p.mu.Lock()
	room := p.rooms[r.Name]
	if cap(room) != n {
		room = make(chan struct{}, n)
		p.rooms[r.Name] = room
	}
	p.mu.Unlock()
	select {
	case room <- struct{}{}:
		return func() { <-room }, nil
	case <-ctx.Done():
		return nil, &failure{reply: mail.Defer(51, 4, 5, "Too many recipients are being verified, try again later")}
	}
}
