// Package greylist tells whether a delivery comes too early: strangers are
// asked to come back, which mail servers do and most spam does not.
package greylist

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/state"
)

// Settings are the filter's own.
type Settings struct {
	Key    filters.Key   `hcl:"key"`    // who is remembered; default the client's network, sender and recipient
	Delay  time.Duration `hcl:"delay"`  // how long a stranger waits
	Window time.Duration `hcl:"window"` // a stranger comes back within this time, or begins anew
	Keep   time.Duration `hcl:"keep"`   // how long who came back is known, from the last mail on
}

// Kind describes the filter.
func Kind() filters.Kind {
	return filters.Kind{
		Name:  "greylist",
		Doc:   "asks strangers to come back later",
		From:  pipeline.Rcpt,
		Named: true,
		Facts: pipeline.Schema{
			{Name: "early", Type: pipeline.Bool, Doc: "it has not waited long enough yet"},
			{Name: "wait", Type: pipeline.Duration, Doc: "how long it has to wait still"},
			{Name: "first_seen", Type: pipeline.Time, Doc: "when it was first seen"},
		},
		Scope:   pipeline.PerRecipient,
		Offline: true,
		Settings: func() any {
			return &Settings{Delay: 5 * time.Minute, Window: 48 * time.Hour, Keep: 35 * 24 * time.Hour}
		},
		Build: build,
	}
}

type filter struct {
	name string
	Settings
	state state.Store
	now   func() time.Time
}

func build(settings any, d filters.Deps) (pipeline.Filter, error) {
	s := settings.(*Settings)
	if s.Delay <= 0 {
		return nil, fmt.Errorf("delay is %v; it must be above 0", s.Delay)
	}
	if s.Window <= s.Delay {
		return nil, fmt.Errorf("window (%v) must be longer than delay (%v), or nobody can come back in time", s.Window, s.Delay)
	}
	if s.Keep < s.Window {
		return nil, fmt.Errorf("keep (%v) must not be shorter than window (%v)", s.Keep, s.Window)
	}
	if d.State == nil {
		return nil, errors.New("there is no state to remember strangers in")
	}
	return &filter{d.Name, *s, d.State, d.Now}, nil
}

// Inspect notes the visit.
func (f *filter) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	who, known := f.who(tx)
	if !known {
		return pipeline.Finding{}, errors.New("who is remembered (key) could not be found out")
	}
	key := f.name + " " + who
	seen, err := f.state.See(ctx, key, f.Keep)
	if err == nil && f.tooLate(seen) {
		if err = f.state.Delete(ctx, key); err == nil {
			seen, err = f.state.See(ctx, key, f.Keep)
		}
	}
	if err != nil {
		return pipeline.Finding{}, err
	}
	return f.finding(seen), nil
}

// passed tells whether an earlier visit came after the delay. It was let in
// then, so who came is known.
func (f *filter) passed(s state.Seen) bool { return s.Count > 1 && s.Last.Sub(s.First) >= f.Delay }

// tooLate tells whether a stranger missed its window.
func (f *filter) tooLate(s state.Seen) bool {
	return s.Count > 1 && !f.passed(s) && f.now().Sub(s.First) > f.Window
}

func (f *filter) finding(s state.Seen) pipeline.Finding {
	wait := f.Delay - f.now().Sub(s.First)
	if f.passed(s) || wait < 0 {
		wait = 0
	}
	fd := pipeline.Finding{Facts: pipeline.Facts{"early": wait > 0, "wait": wait, "first_seen": s.First}}
	switch {
	case wait > 0:
		fd.Reason = "to wait " + wait.Round(time.Second).String()
	case f.passed(s):
		fd.Reason = "known since " + s.First.UTC().Format(time.DateTime)
	default:
		fd.Reason = "came back after " + f.now().Sub(s.First).Round(time.Second).String()
	}
	return fd
}

// who is the triplet. Only the network of the client counts, because large
// senders come back from another address of it.
func (f *filter) who(tx *pipeline.Transaction) (string, bool) {
	if f.Key != nil {
		return f.Key(tx)
	}
	if tx.Current < 0 || tx.Current >= len(tx.To) {
		return "", false
	}
	return network(tx.Client) + " <" + tx.From.Key() + "> <" + tx.To[tx.Current].Address.Key() + ">", true
}

func network(ip netip.Addr) string {
	bits := 64
	if ip = ip.Unmap(); ip.Is4() {
		bits = 24
	}
	p, err := ip.WithZone("").Prefix(bits)
	if err != nil {
		return ip.String() // no address: an LMTP socket
	}
	return p.String()
}
