package appliance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/policies/replay"
	"github.com/forepost/forepost/relay/meter"
	"github.com/forepost/forepost/relay/trail"
)

// What a policy on trial costs.
var (
	shadowSeconds  = meter.Counter("forepost_shadow_seconds_total", "Time spent on judging live mail by the policy on trial.")
	shadowMessages = meter.Counter("forepost_shadow_messages_total", "Messages for the policy on trial: judged, dropped for want of time, failed.", "result")
)

// shadowRest is how many times as long as it took to judge a message the trial
// rests afterwards: it takes a quarter of one processor at the most. What comes in
// meanwhile waits in a row of bounded length, and beyond that is dropped.
const shadowRest = 3

// shadow is a configuration on trial: it judges each message after the reply,
// from its record, with filters of its own where the record has no finding, and
// nothing comes of it but a report. It outlives reloads, and restarts.
type shadow struct {
	mu      sync.Mutex
	bundle  *policies.Bundle
	started time.Time
	report  *replay.Report
	spent   time.Duration
	lost    atomic.Uint64
	dropped uint64 // of lost, what the metric has
	stop    context.CancelFunc
	done    chan struct{}
}

// onTrial is what is kept of one in the data directory.
type onTrial struct {
	Started time.Time        `json:"started"`
	Bundle  *policies.Bundle `json:"bundle"`
}

var errNoTrial = errors.New("no policy is on trial; forepost policy shadow FILE begins one")

func (a *Appliance) shadowFile() string { return filepath.Join(a.generations.dir, "shadow.json") }

// ShadowStart puts a configuration on trial, in place of an earlier one.
func (a *Appliance) ShadowStart(_ context.Context, b *policies.Bundle) (admin.PolicyAnswer, error) {
	if b == nil {
		return admin.PolicyAnswer{}, errors.New("no configuration was given")
	}
	now := a.o.Now()
	ds, err := a.tryOut(b, now)
	if err != nil || ds.HasErrors() {
		return admin.PolicyAnswer{Diagnostics: ds.String()}, err
	}
	if err := writeWhole(a.shadowFile(), onTrial{now, b}); err != nil {
		return admin.PolicyAnswer{}, fmt.Errorf("on trial, but only until the next restart: %w", err)
	}
	a.log.Info("a policy is on trial", "file", b.Main)
	return admin.PolicyAnswer{Started: now, Diagnostics: ds.String()}, nil
}

// tryOut begins a trial.
func (a *Appliance) tryOut(b *policies.Bundle, started time.Time) (policies.Diagnostics, error) {
	j, ds, err := a.judge(b, a.queued, true)
	if err != nil || j == nil {
		return ds, err
	}
	a.endTrial()
	s := &a.shadow
	s.mu.Lock()
	defer s.mu.Unlock()
	ctx, stop := context.WithCancel(context.Background())
	s.bundle, s.started, s.report, s.spent, s.stop, s.done = b, started, replay.NewReport(), 0, stop, make(chan struct{})
	s.lost.Store(0)
	s.dropped = 0
	go func() {
		defer close(s.done)
		err := a.keep.trail.Follow(ctx, trail.Query{}, &s.lost, func(r *trail.Record) error { return a.tryOne(ctx, j, r) })
		if err != nil && ctx.Err() == nil {
			a.log.Error("the policy on trial has ended", "error", err)
		}
	}()
	return ds, nil
}

// tryOne judges one message, counts, and rests.
func (a *Appliance) tryOne(ctx context.Context, j *replay.Judge, r *trail.Record) error {
	begin := time.Now()
	out, err := judged(ctx, j, r)
	took := time.Since(begin)
	s := &a.shadow
	s.mu.Lock()
	s.spent += took
	switch {
	case errors.Is(err, replay.ErrOld):
		s.report.AddOld()
	case err == nil:
		s.report.Add(r, out)
	}
	dropped := s.lost.Load() - s.dropped
	s.dropped += dropped
	s.mu.Unlock()
	shadowMessages.WithLabelValues("dropped").Add(float64(dropped))
	shadowSeconds.WithLabelValues().Add(took.Seconds())
	if err != nil {
		shadowMessages.WithLabelValues("failed").Inc()
		a.log.Warn("the policy on trial could not judge a message", "id", string(r.ID), "error", err)
	} else {
		shadowMessages.WithLabelValues("judged").Inc()
	}
	rest := time.NewTimer(shadowRest * took)
	defer rest.Stop()
	select {
	case <-rest.C:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// endTrial stops one that runs.
func (a *Appliance) endTrial() bool {
	s := &a.shadow
	s.mu.Lock()
	stop, done := s.stop, s.done
	s.stop, s.bundle = nil, nil
	s.mu.Unlock()
	if stop == nil {
		return false
	}
	stop()
	<-done
	return true
}

// ShadowStop ends the trial for good.
func (a *Appliance) ShadowStop(context.Context) error {
	if !a.endTrial() {
		return errNoTrial
	}
	if err := os.Remove(a.shadowFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	a.log.Info("the policy is no longer on trial")
	return nil
}

// ShadowReport is what came of the trial so far.
func (a *Appliance) ShadowReport(context.Context) (admin.PolicyAnswer, error) {
	s := &a.shadow
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bundle == nil {
		return admin.PolicyAnswer{}, errNoTrial
	}
	rep := s.report.Snapshot()
	rep.Dropped = s.lost.Load()
	return admin.PolicyAnswer{Report: rep, Started: s.started, Spent: s.spent, Said: s.bundle.Main}, nil
}

// resumeTrial goes on with what was on trial before a restart.
func (a *Appliance) resumeTrial() {
	text, err := os.ReadFile(a.shadowFile())
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	var t onTrial
	if err == nil {
		err = json.Unmarshal(text, &t)
	}
	if err == nil && t.Bundle == nil {
		err = errors.New("it names no configuration")
	}
	if err == nil {
		var ds policies.Diagnostics
		if ds, err = a.tryOut(t.Bundle, t.Started); err == nil && ds.HasErrors() {
			err = errors.New(ds.String())
		}
	}
	if err != nil {
		a.log.Warn("the policy that was on trial is not any more", "file", a.shadowFile(), "error", err)
	}
}
