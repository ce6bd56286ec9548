package appliance

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/policies/replay"
	"github.com/forepost/forepost/policies/test"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// runTests runs the tests beside the configuration; said is what they say where
// some fail.
func (a *Appliance) runTests(ctx context.Context) (said string, err error) {
	files, err := test.Files(a.o.Config)
	if err != nil || len(files) == 0 {
		return "", err
	}
	o := test.Options{Config: a.o.Config, Load: policies.Options{Kinds: builtin.Kinds(), Vars: a.o.Vars}}
	rep, ds := test.Run(ctx, files, o)
	if rep == nil {
		return ds.String(), errors.New("the tests beside the configuration have mistakes")
	}
	if rep.Failed == 0 {
		return "", nil
	}
	var b strings.Builder
	if err := rep.Text(&b, false); err != nil {
		return "", err
	}
	return b.String(), fmt.Errorf("%d of the tests beside the configuration failed", rep.Failed)
}

// Running is the configuration in force.
func (a *Appliance) Running() *policies.Bundle { return a.live().bundle }

// Rollback puts the configuration in force that was in force before.
func (a *Appliance) Rollback(ctx context.Context) (admin.PolicyAnswer, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	at, one, err := a.generations.earlier()
	if err != nil {
		return admin.PolicyAnswer{}, err
	}
	o := one.Bundle.Options(policies.Options{Kinds: builtin.Kinds(), Strict: true, Now: a.o.Now})
	cfg, ds := policies.Load(one.Bundle.Main, o)
	if cfg == nil {
		return admin.PolicyAnswer{Diagnostics: ds.String()}, errors.New("the configuration before has errors with this program; the running one stays")
	}
	if a.o.Data != "" {
		cfg.Settings.DataDir = a.o.Data
	}
	odd, err := a.putInForce(ctx, cfg, one.Bundle)
	if err != nil {
		return admin.PolicyAnswer{}, fmt.Errorf("%w; the running configuration stays", err)
	}
	a.logWarnings(odd)
	a.generations.current = at
	said := fmt.Sprintf("back to configuration %d, in force since %s before: %s", one.Number, one.Time.Local().Format("2006-01-02 15:04"), a.policiesInForce())
	reloads.WithLabelValues("rollback").Inc()
	a.log.Info("rolled back", "configuration", one.Number, "policies", a.policiesInForce())
	return admin.PolicyAnswer{Said: said}, nil
}

// policiesInForce names them: "inbound sha256 9f31...".
func (a *Appliance) policiesInForce() string {
	seen := map[string]bool{}
	var list []string
	for _, ls := range a.live().settings.Listeners {
		plan := a.live().plans[ls.Name]
		if plan == nil || seen[plan.Info().Name] {
			continue
		}
		seen[plan.Info().Name] = true
		list = append(list, "policy "+plan.Info().Name+" sha256 "+plan.Info().Hash[:12])
	}
	return strings.Join(list, ", ")
}

// judge makes one that replays by a configuration.
func (a *Appliance) judge(b *policies.Bundle, bodies func(mail.ID) (mail.Blob, error), live bool) (*replay.Judge, policies.Diagnostics, error) {
	o := replay.Options{Load: b.Options(policies.Options{Kinds: builtin.Kinds()}), Bodies: bodies, Live: live,
		Deps: filters.Deps{DNS: a.live().dns, State: noState{}, Log: a.log}}
	return replay.New(b.Main, o)
}

// judged is Replay that a defect does not end the gateway with.
func judged(ctx context.Context, j *replay.Judge, r *trail.Record) (out replay.Outcome, err error) {
	defer func() {
		if p := recover(); p != nil {
			pipeline.CountPanic("replay")
			err = fmt.Errorf("replay of %s panicked: %v\n%s", r.ID, p, debug.Stack())
		}
	}()
	return j.Replay(ctx, r)
}

// Replay judges what the trail has of a time by another configuration. One runs
// at a time, on one processor: mail comes first.
func (a *Appliance) Replay(ctx context.Context, q admin.ReplayQuery) (admin.PolicyAnswer, error) {
	if q.Bundle == nil {
		return admin.PolicyAnswer{}, errors.New("no configuration was given")
	}
	a.replaying.Lock()
	defer a.replaying.Unlock()
	var bodies func(mail.ID) (mail.Blob, error)
	if q.Bodies {
		bodies = a.originals()
	}
	j, ds, err := a.judge(q.Bundle, bodies, false)
	if err != nil || j == nil {
		return admin.PolicyAnswer{Diagnostics: ds.String()}, err
	}
	begin, now, rep := time.Now(), a.o.Now(), replay.NewReport()
	err = a.keep.trail.Each(ctx, now.Add(-q.Since), now.Add(-q.Until), func(r *trail.Record) error {
		out, err := judged(ctx, j, r)
		switch {
		case errors.Is(err, replay.ErrOld):
			rep.AddOld()
			return nil
		case err != nil:
			return err
		}
		rep.Add(r, out)
		return nil
	})
	rep.Took = time.Since(begin)
	return admin.PolicyAnswer{Report: rep.Snapshot(), Diagnostics: ds.String()}, err
}

// received finds the transaction's ID in a Received field of ours.
var received = regexp.MustCompile(`\(Forepost\)[^;]* id ([0-9A-Za-z]{13})\b`)

// originals finds messages that are still kept: in the queue, the quarantines and
// the store.
func (a *Appliance) originals() func(mail.ID) (mail.Blob, error) {
	kept, looks := a.stored(), 1
	return func(id mail.ID) (mail.Blob, error) {
		if b, ok := kept[id]; ok {
			return b, nil
		}
		b, err := a.queued(id)
		if errors.Is(err, errGone) && looks < mostLooks {
			// It may have gone from the queue into the store since we looked there.
			kept, looks = a.stored(), looks+1
			if b, ok := kept[id]; ok {
				return b, nil
			}
		}
		return b, err
	}
}

// mostLooks bounds how often the whole store is looked through for one replay.
const mostLooks = 8

// stored are the messages in all mailboxes, by ID.
func (a *Appliance) stored() map[mail.ID]mail.Blob {
	kept := map[mail.ID]mail.Blob{}
	for _, name := range a.keep.store.Names() {
		acc, err := a.keep.store.Account(name)
		if err != nil {
			continue // it has just been removed
		}
		for _, info := range acc.Mailboxes() {
			if box, err := acc.Mailbox(info.Name); err == nil {
				originalsOf(box, kept)
			}
		}
	}
	return kept
}

// originalsOf finds those of a mailbox: the field Received has their IDs.
func originalsOf(box imapstore.Mailbox, kept map[mail.ID]mail.Blob) {
	for _, e := range box.Snapshot().Messages {
		for _, f := range e.Message.Prefix {
			if !strings.EqualFold(f.Name, "Received") {
				continue
			}
			if m := received.FindStringSubmatch(f.Value); m != nil {
				kept[mail.ID(m[1])] = e.Message.Blob
			}
			break
		}
	}
}

var errGone = errors.New("the message is not kept any more")

// queued is a message that waits in the queue.
func (a *Appliance) queued(id mail.ID) (mail.Blob, error) {
	list, err := a.keep.queue.Messages(id)
	if err == nil && len(list) == 0 {
		err = errGone
	}
	if err != nil {
		return nil, err
	}
	return list[0].Blob, nil
}

// today judges by the configuration in force.
type today struct {
	mu     sync.Mutex
	bundle *policies.Bundle
	judge  *replay.Judge
}

// Today tells whether a message would fare otherwise by the policy in force; ""
// where that cannot be asked of its record.
func (a *Appliance) Today(ctx context.Context, r *trail.Record) string {
	a.today.mu.Lock()
	defer a.today.mu.Unlock()
	if b := a.live().bundle; b != a.today.bundle {
		j, _, err := a.judge(b, nil, false)
		if err != nil || j == nil {
			return ""
		}
		a.today.bundle, a.today.judge = b, j
	}
	out, err := judged(ctx, a.today.judge, r)
	if err != nil {
		return ""
	}
	hash := ""
	if plan := a.live().plans[r.Listener]; plan != nil {
		hash = " (sha256 " + plan.Info().Hash[:12] + ")"
	}
	return "With today's policy" + hash + " the result " + out.Explain() + "."
}

// Follow tells records as they are written.
func (a *Appliance) Follow(ctx context.Context, q admin.TraceQuery, f func(*trail.Record) error) error {
	return a.keep.trail.Follow(ctx, a.query(q), nil, f)
}
