package appliance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/mail"
)

const (
	// digestEvery is how often it is asked whether it is time for a digest.
	digestEvery = time.Minute
	// digestEdge is how much earlier ends what a digest tells: what comes in at its very
	// time may still be on its way into the quarantine.
	digestEdge = time.Minute
	// digestMemory is for how long it is kept what was told: longer than anything
	// lies in a quarantine.
	digestMemory = 10 * 365 * 24 * time.Hour
	// digestMost is how many messages a digest lists; of the rest it has the number.
	digestMost = 200
)

// startDigests tells recipients day by day what is kept from them, until a stop.
func (a *Appliance) startDigests() {
	a.periodically("digests of quarantines", digestEvery, func(ctx context.Context) {
		if err := a.digests(ctx, a.o.Now()); err != nil && ctx.Err() == nil {
			a.log.Warn("a digest of a quarantine could not be sent; it is tried again in a minute", "error", err)
		}
	})
}

// digestOf is what one recipient is told.
type digestOf struct {
	to   mail.Address
	list []kept          // oldest first
	of   map[string]bool // names of the quarantines
}

// digests sends those whose time has come by now. Quarantines with the same time
// share a letter. What was kept before a quarantine had a digest is not told.
func (a *Appliance) digests(ctx context.Context, now time.Time) error {
	a.digesting.Lock()
	defer a.digesting.Unlock()
	at := map[time.Time][]policies.Quarantine{}
	for _, q := range a.live().settings.Quarantines {
		if q.Digest == nil {
			continue
		}
		due := q.Digest.Last(now)
		last, err := a.toldUntil(ctx, digestKey(q.Name, nil))
		switch {
		case err != nil:
			return err
		case last.IsZero():
			if err := a.setTold(ctx, digestKey(q.Name, nil), due); err != nil {
				return err
			}
		case dayAfter(last.In(now.Location()), due): // a time that was changed makes no second one on a day
			at[due] = append(at[due], q)
		}
	}
	var errs []error
	for due, qs := range at {
		if err := a.digestsAt(ctx, due, qs); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func dayAfter(a, b time.Time) bool { return b.Format(time.DateOnly) > a.Format(time.DateOnly) }

// digestsAt tells what came until due. A recipient is told and noted at once, so
// that nobody is told twice where somebody else could not be.
func (a *Appliance) digestsAt(ctx context.Context, due time.Time, qs []policies.Quarantine) error {
	all := map[string]*digestOf{}
	for _, q := range qs {
		if err := a.gather(ctx, all, q, due); err != nil {
			return fmt.Errorf("quarantine %s: %w", q.Name, err)
		}
	}
	var errs []error
	for _, d := range all {
		if err := a.sendDigest(ctx, d, due); err != nil {
			errs = append(errs, fmt.Errorf("to %s: %w", d.to, err))
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	for _, q := range qs {
		if err := a.setTold(ctx, digestKey(q.Name, nil), due); err != nil {
			return err
		}
	}
	return nil
}

// gather adds what is new in a quarantine to what its recipients are told.
func (a *Appliance) gather(ctx context.Context, all map[string]*digestOf, q policies.Quarantine, due time.Time) error {
	last, err := a.toldUntil(ctx, digestKey(q.Name, nil))
	if err != nil {
		return err
	}
	list, err := a.keptWhere(q, func(t time.Time) bool { return isNew(t, last, due) })
	if err != nil {
		return err
	}
	for _, k := range list {
		to := k.env.To[0].Address
		if k.info.ID == "" || to.IsNull() {
			continue // it does not say whom it was for
		}
		if told, err := a.toldUntil(ctx, digestKey(q.Name, &to)); err != nil {
			return err
		} else if !isNew(k.info.Since, told, due) {
			continue
		}
		d := all[to.Key()]
		if d == nil {
			d = &digestOf{to: to, of: map[string]bool{}}
			all[to.Key()] = d
		}
		d.list, d.of[q.Name] = append(d.list, k), true
	}
	return nil
}

// isNew is whether what came at t was not told at last, and is told at due.
func isNew(t, last, due time.Time) bool {
	return !t.Before(last.Add(-digestEdge)) && t.Before(due.Add(-digestEdge))
}

// sendDigest writes to a recipient, if it is one of ours: others, to whom mail
// from inside was kept, do not know us.
func (a *Appliance) sendDigest(ctx context.Context, d *digestOf, due time.Time) error {
	acc, err := a.directory.Accepts(ctx, d.to)
	if err != nil || !acc.Ours || !acc.Known {
		return err
	}
	slices.SortStableFunc(d.list, func(x, y kept) int { return x.info.Since.Compare(y.info.Since) })
	subject := fmt.Sprintf("%d messages are kept from you in quarantine", len(d.list))
	if len(d.list) == 1 {
		subject = "A message is kept from you in quarantine"
	}
	if err := a.notices.queue(ctx, a.notices.letter(d.to, subject, a.digestText(d, due.Location())), d.to); err != nil {
		return err
	}
	for name := range d.of {
		if err := a.setTold(ctx, digestKey(name, &d.to), due); err != nil {
			return err
		}
	}
	return nil
}

// digestKey is under which it is kept until when a quarantine was told: to one
// recipient, or to all.
func digestKey(name string, to *mail.Address) string {
	key := "digest/" + strings.ToLower(name)
	if to != nil {
		key += "/" + to.Key()
	}
	return key
}

func (a *Appliance) toldUntil(ctx context.Context, key string) (time.Time, error) {
	s, err := a.keep.local.Get(ctx, key)
	if err != nil || s == "" {
		return time.Time{}, err
	}
	t, _ := time.Parse(time.RFC3339, s) // ours
	return t, nil
}

func (a *Appliance) setTold(ctx context.Context, key string, until time.Time) error {
	return a.keep.local.Put(ctx, key, until.Format(time.RFC3339), digestMemory)
}
