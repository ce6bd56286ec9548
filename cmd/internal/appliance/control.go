package appliance

import (
	"context"
	"fmt"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/trail"
)

var _ admin.Backend = (*Appliance)(nil)

// Status tells what runs.
func (a *Appliance) Status() admin.Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	s := admin.Status{Version: a.o.Version, Started: a.started, Config: a.o.Config, Loaded: a.live().loaded,
		Queue: a.keep.queue.Stats().Entries}
	for _, d := range a.servers {
		s.Servers = append(s.Servers, d.Endpoint)
	}
	return s
}

// Explain finds what the trail knows.
func (a *Appliance) Explain(id mail.ID) ([]trail.Story, error) { return a.keep.trail.Stories(id) }

// Trace searches the trail.
func (a *Appliance) Trace(q admin.TraceQuery) ([]trail.Record, error) {
	tq := trail.Query{Text: q.Text, Limit: q.Limit}
	if q.Since > 0 {
		tq.Since = a.o.Now().Add(-q.Since)
	}
	return a.keep.trail.Search(tq)
}

// Queue lists waiting messages.
func (a *Appliance) Queue(limit int) []admin.QueueEntry {
	var list []admin.QueueEntry
	for _, it := range a.keep.queue.List(queue.Filter{Limit: limit}) {
		e := admin.QueueEntry{ID: it.Envelope.ID, From: it.Envelope.From.String(), Since: it.Envelope.Received, Size: it.Size}
		for _, r := range it.Recipients {
			e.To = append(e.To, admin.QueueRecipient{Address: it.Envelope.To[r.Index].Address.String(), State: r.State.String(),
				Tries: r.Attempts, Next: r.Next, Reason: r.Reply})
		}
		list = append(list, e)
	}
	return list
}

// QueueDo does something to a waiting message.
func (a *Appliance) QueueDo(ctx context.Context, id mail.ID, what string) error {
	q, f, n := a.keep.queue, queue.Filter{ID: id}, 0
	if !id.Valid() {
		return fmt.Errorf("%q is not the ID of a message", id)
	}
	var err error
	switch what {
	case "retry":
		n = q.Retry(f)
	case "hold":
		n, err = q.Hold(ctx, f, "held by a person")
	case "release":
		n, err = q.Release(ctx, f)
	case "delete":
		n, err = q.Remove(ctx, f, "deleted by a person")
	default:
		return fmt.Errorf("%q is not something that can be done to a message", what)
	}
	if err == nil && n == 0 {
		err = fmt.Errorf("no recipient of %s waits for that: see forepost queue list", id)
	}
	return err
}

// Quarantined are the messages in a quarantine, oldest first.
func (a *Appliance) Quarantined(name string) ([]*mail.Message, error) {
	acc, err := a.keep.store.Account(imapstore.QuarantinePrefix + name)
	if err != nil {
		return nil, err
	}
	box, err := acc.Mailbox("INBOX")
	if err != nil {
		return nil, err
	}
	var list []*mail.Message
	for _, e := range box.Snapshot().Messages {
		list = append(list, e.Message)
	}
	return list, nil
}
