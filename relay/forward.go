package relay

import (
	"context"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/route"
)

// Rewriter gives the sender that mail to a recipient goes out with, where it is
// forwarded: relay/srs makes it. ok is false where the sender stays.
type Rewriter func(from mail.Address, to mail.Recipient) (as mail.Address, ok bool)

// Forwarding is SMTP transports that rewrite the sender of forwarded mail as it goes
// out. In the queue it keeps the one that it came with: our own reports go there.
func Forwarding(under func(*route.Route) queue.Transport, rewrite Rewriter) func(*route.Route) queue.Transport {
	return func(r *route.Route) queue.Transport { return &forwarding{under(r), rewrite} }
}

type forwarding struct {
	under   queue.Transport
	rewrite Rewriter
}

// Deliver implements queue.Transport. Recipients whose mail has the same sender go
// together.
func (f *forwarding) Deliver(ctx context.Context, env mail.Envelope, msg *mail.Message) []queue.Attempt {
	groups := map[mail.Address][]int{}
	for i, to := range env.To {
		from := env.From
		if as, ok := f.rewrite(env.From, to); ok {
			from = as
		}
		groups[from] = append(groups[from], i)
	}
	if _, same := groups[env.From]; same && len(groups) == 1 || len(env.To) == 0 {
		return f.under.Deliver(ctx, env, msg)
	}
	var all []queue.Attempt
	for from, to := range groups {
		part := env
		part.From, part.To = from, nil
		for _, i := range to {
			part.To = append(part.To, env.To[i])
		}
		for _, a := range f.under.Deliver(ctx, part, msg) {
			if from != env.From {
				a.Note = joined(a.Note, "sent as "+from.Path())
			}
			a.To = to[a.To]
			all = append(all, a)
		}
	}
	return all
}

func joined(note, more string) string {
	if note == "" {
		return more
	}
	return note + "; " + more
}
