// Package contact tells whether we have written to a sender: whether mail went
// from the recipient's domain to the address that now writes.
package contact

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/state"
)

// Name is the kind's, and that of its one instance.
const Name = "contact"

// Keep is how long a contact is known, from the last mail to it on.
const Keep = 180 * 24 * time.Hour

// Kind describes the filter.
func Kind() filters.Kind {
	return filters.Kind{
		Name: Name,
		Doc:  "whether the recipient's domain has written to the sender",
		From: pipeline.Rcpt,
		Facts: pipeline.Schema{
			{Name: "known", Type: pipeline.Bool, Doc: "mail went from the recipient's domain to this sender in the last 180 days"},
			{Name: "first_seen", Type: pipeline.Time, Doc: "when it first did, without a longer break since"},
		},
		Scope: pipeline.PerRecipient,
		Build: func(_ any, d filters.Deps) (pipeline.Filter, error) {
			if d.State == nil {
				return nil, errors.New("there is no state to remember contacts in")
			}
			return filter{d.State}, nil
		},
	}
}

type filter struct{ state state.Store }

// Inspect looks the pair up. The sender of the envelope is a claim: a rule that
// trusts it asks for SPF as well.
func (f filter) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	nobody := pipeline.Finding{Facts: pipeline.Facts{"known": false}, Reason: "not a contact"}
	if tx.Current < 0 || tx.Current >= len(tx.To) {
		return pipeline.Finding{}, errors.New("there is no recipient yet")
	}
	if tx.From.IsNull() {
		return nobody, nil
	}
	text, err := f.state.Get(ctx, key(domainOf(&tx.To[tx.Current]), tx.From))
	if err != nil || text == "" {
		return nobody, err
	}
	first, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return pipeline.Finding{}, fmt.Errorf("the state has %q for a contact, which is no time", text)
	}
	return pipeline.Finding{Facts: pipeline.Facts{"known": true, "first_seen": first}, Reason: "a contact since " + first.UTC().Format(time.DateOnly)}, nil
}

func domainOf(r *pipeline.Recipient) string {
	if r.Acceptance.Domain != "" {
		return r.Acceptance.Domain
	}
	return r.Address.Domain
}

// Note keeps that mail went from an address of ours to one elsewhere.
func Note(ctx context.Context, s state.Store, now time.Time, from, to mail.Address) error {
	k := key(from.Domain, to)
	first, err := s.Get(ctx, k)
	if err != nil {
		return err
	}
	if first == "" {
		first = now.UTC().Format(time.RFC3339)
	}
	return s.Put(ctx, k, first, Keep)
}

// key is the same for both ways. Case counts for nobody: who answers may write
// the address in another one.
func key(ours string, theirs mail.Address) string {
	return Name + " " + ours + " " + strings.ToLower(theirs.String())
}
