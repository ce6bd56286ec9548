package appliance

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/policies"
)

// sweepEvery is how often quarantines are looked through for what was kept long
// enough.
const sweepEvery = time.Hour

// startSweeping keeps quarantines to their `keep` until a stop.
func (a *Appliance) startSweeping() {
	a.periodically("sweep of quarantines", sweepEvery, func(ctx context.Context) {
		if err := a.sweep(ctx); err != nil && ctx.Err() == nil {
			a.log.Warn("a quarantine keeps what is too old", "error", err)
		}
	})
}

// sweep removes what was in a quarantine for longer than it keeps mail.
func (a *Appliance) sweep(ctx context.Context) error {
	var errs []error
	for _, q := range a.live().settings.Quarantines {
		if q.Keep <= 0 {
			continue
		}
		if err := a.sweepOne(ctx, q); err != nil {
			errs = append(errs, fmt.Errorf("quarantine %s: %w", q.Name, err))
		}
	}
	return errors.Join(errs...)
}

func (a *Appliance) sweepOne(ctx context.Context, q policies.Quarantine) error {
	acc, err := a.keep.store.Account(imapstore.QuarantinePrefix + strings.ToLower(q.Name))
	if err != nil {
		return err
	}
	box, err := acc.Mailbox("INBOX")
	if err != nil {
		return err
	}
	old := a.o.Now().Add(-q.Keep)
	var gone []imapstore.UID
	for _, e := range box.Snapshot().Messages {
		if e.SaveDate.Before(old) {
			gone = append(gone, e.UID)
		}
	}
	if len(gone) == 0 {
		return nil
	}
	a.log.Info("quarantined mail is old enough to go", "quarantine", q.Name, "messages", len(gone), "keep", q.Keep)
	return box.Expunge(ctx, gone)
}
