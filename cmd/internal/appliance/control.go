package appliance

import (
	"fmt"
	"slices"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mail"
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
	s.Certificates = a.live().certs.show()
	return s
}

// Explain finds what the trail knows.
func (a *Appliance) Explain(id mail.ID) ([]trail.Story, error) {
	stories, err := a.keep.trail.Stories(id)
	for i := range stories {
		if err == nil && stories[i].Record != nil {
			stories[i].Now, err = a.whereNow(stories[i].Record)
		}
	}
	return stories, err
}

// whereNow tells what is still kept of a message that went into a quarantine, and
// who may let it go.
func (a *Appliance) whereNow(r *trail.Record) (now []string, err error) {
	if !slices.ContainsFunc(r.Outcomes, func(o trail.Outcome) bool { return o.Action == "quarantine" }) {
		return nil, nil
	}
	for _, q := range a.live().settings.Quarantines {
		list, err := a.keptWhere(q, func(t time.Time) bool { return t.After(r.Time.Add(-time.Minute)) })
		if err != nil {
			return nil, fmt.Errorf("quarantine %s: %w", q.Name, err)
		}
		for _, k := range list {
			if k.info.ID != r.ID {
				continue
			}
			who := "an administrator"
			if q.Release == "recipient" {
				who = k.info.To
				if _, harmless := a.whyKept(k); !harmless {
					who = "only an administrator"
				}
			}
			line := "kept for " + k.info.To + " in quarantine." + q.Name
			if !k.info.Until.IsZero() {
				line += " until " + k.info.Until.Local().Format(time.DateOnly)
			}
			now = append(now, line+"; "+who+" may release")
		}
	}
	if len(now) == 0 {
		now = []string{"no longer in quarantine, or not there yet"}
	}
	return now, nil
}

// Trace searches the trail.
func (a *Appliance) Trace(q admin.TraceQuery) ([]trail.Record, error) {
	return a.keep.trail.Search(a.query(q))
}

// query is a search in the trail's words.
func (a *Appliance) query(q admin.TraceQuery) trail.Query {
	tq := trail.Query{Text: q.Text, From: q.From, To: q.To, IP: q.IP, Action: q.Verdict, Rule: q.Rule, Tag: q.Tag, Limit: q.Limit}
	if q.Since > 0 {
		tq.Since = a.o.Now().Add(-q.Since)
	}
	if q.Until > 0 {
		tq.Until = a.o.Now().Add(-q.Until)
	}
	return tq
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
