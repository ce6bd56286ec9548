package appliance

import (
	"context"

	"github.com/forepost/forepost/relay/inbound"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
)

// drySpool takes messages and keeps none.
type drySpool struct{}

// Draft is inbound.Spool.
func (drySpool) Draft(mail.ID) (inbound.Draft, error) { return &dryDraft{}, nil }

type dryDraft struct{ text []byte }

func (d *dryDraft) Write(p []byte) (int, error) {
	d.text = append(d.text, p...)
	return len(p), nil
}

// Blob is what was written so far.
func (d *dryDraft) Blob() mail.Blob { return mail.Bytes(d.text) }

// Commit says yes and does nothing.
func (d *dryDraft) Commit(context.Context, ...queue.Submission) error { return nil }

// Discard does nothing.
func (d *dryDraft) Discard() {}
