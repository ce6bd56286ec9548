package outbound

import (
	"context"
	"errors"
	"log/slog"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
)

// NewLocal makes the transport for the store.
func NewLocal(store Store, log *slog.Logger) queue.Transport {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &local{store, log}
}

type local struct {
	store Store
	log   *slog.Logger
}

// Deliver implements queue.Transport. An error of the store that is no Reply is
// for the log; the sender is told only that it will be tried again.
func (l *local) Deliver(ctx context.Context, env mail.Envelope, msg *mail.Message) []queue.Attempt {
	if env.Binary { // IMAP and POP3 know lines only
		lines, r := asLines(msg)
		if !r.IsZero() {
			return l.all(env, r)
		}
		msg = lines
	}
	errs := l.store.Deliver(ctx, Delivery{ID: env.ID, From: env.From, To: env.To, Message: msg, Time: env.Received, RequireTLS: env.RequireTLS})
	out := make([]queue.Attempt, len(env.To))
	for i := range out {
		err := errors.New("the store gave no answer")
		if i < len(errs) {
			err = errs[i]
		}
		out[i] = l.attempt(env, i, err)
		recipients.WithLabelValues("store", outcomeNames[out[i].Outcome]).Inc()
	}
	return out
}

func (l *local) all(env mail.Envelope, r mail.Reply) []queue.Attempt {
	out := make([]queue.Attempt, len(env.To))
	for i := range out {
		out[i] = l.attempt(env, i, r)
	}
	return out
}

func (l *local) attempt(env mail.Envelope, to int, err error) queue.Attempt {
	var r mail.Reply
	switch {
	case err == nil:
		return queue.Attempt{To: to, Outcome: queue.Delivered, Said: "250 2.0.0 stored"}
	case !errors.As(err, &r) || r.IsZero():
		l.log.Warn("the store did not take a message; it will be tried again", "id", string(env.ID), "to", env.To[to].Address.String(), "error", err)
		r = mail.Defer(51, 3, 0, "The mailbox cannot take mail at the moment")
	}
	a := queue.Attempt{To: to, Outcome: queue.Soft, Reply: r}
	if r.Class == mail.Permanent {
		a.Outcome = queue.Hard
	}
	return a
}
