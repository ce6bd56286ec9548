package queue

import (
	"context"

	"github.com/forepost/forepost/relay/mail"
)

// The room behind this contract is being built.

// Queue is the queue.
type Queue struct{}

// New makes a queue and registers it with the journal; Recover of the journal
// fills it, Start begins to deliver.
func New(o Options) *Queue { return &Queue{} }

// Start begins to deliver.
func (q *Queue) Start() {}

// Stop lets attempts under way finish (until ctx ends, which cuts them off).
func (q *Queue) Stop(ctx context.Context) error { return nil }

// Draft begins a message.
func (q *Queue) Draft(id mail.ID) (*Draft, error) { return &Draft{}, nil }

// Draft is a message that is being taken. It is used by one goroutine.
type Draft struct{}

// Write takes the next octets of the message.
func (d *Draft) Write(p []byte) (int, error) { return len(p), nil }

// Blob is what was written so far.
func (d *Draft) Blob() mail.Blob { return nil }

// Commit makes the entries durable and returns: now 250 may be said.
func (d *Draft) Commit(ctx context.Context, s ...Submission) error { return nil }

// Discard gives the draft up; after Commit it does nothing.
func (d *Draft) Discard() {}
