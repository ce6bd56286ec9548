// Package ratelimit counts against one or several windows and says whether one
// of them is over. What happens then stands in the policy.
package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/state"
)

// Settings are the filter's own.
type Settings struct {
	Key   filters.Key `hcl:"key"`                                              // what is counted for; default the client's address
	Rate  []string    `hcl:"rate,required"`                                    // "300/1h"; all windows must hold
	Burst int64       `hcl:"burst"`                                            // at once; 0: the whole of the rate
	Count string      `hcl:"count" words:"sessions|messages|recipients|bytes"` // what one finding charges
	Scope string      `hcl:"scope" words:"shared|local"`                       // shared: in the state; local: in this process
}

// Kind describes the filter. Its From and Scope are those of a rule on
// recipients; a policy that limits at another phase builds its instance there.
func Kind() filters.Kind {
	return filters.Kind{
		Name:  "ratelimit",
		Doc:   "counts sessions, messages, recipients or octets against windows of time",
		From:  pipeline.Rcpt,
		Named: true,
		Facts: pipeline.Schema{
			{Name: "over", Type: pipeline.Bool, Doc: "a window has no room left"},
			{Name: "count", Type: pipeline.Number, Doc: "how much of the fullest window (or the one that is over) is in use"},
			{Name: "limit", Type: pipeline.Number, Doc: "the size of the window that is over; of the smallest where none is"},
			{Name: "wait", Type: pipeline.Duration, Doc: "how long until there is room"},
		},
		Scope:    pipeline.PerRecipient,
		Offline:  true,
		Settings: func() any { return &Settings{Count: "recipients", Scope: "shared"} },
		Build:    build,
	}
}

// taker is what charges windows: the shared state, or the limiters of this process.
type taker interface {
	Take(ctx context.Context, n int64, windows ...state.Window) (state.Taken, error)
	Return(ctx context.Context, n int64, windows ...state.Window) error
}

type filter struct {
	name  string
	key   filters.Key
	rates []Rate
	burst int64
	count string
	keep  taker
}

// charge is what an Inspect took, for Settle to return.
type charge struct {
	n       int64
	windows []state.Window
}

func build(settings any, d filters.Deps) (pipeline.Filter, error) {
	s := settings.(*Settings)
	f := &filter{name: d.Name, key: s.Key, burst: s.Burst, count: s.Count, keep: d.State}
	if len(s.Rate) == 0 {
		return nil, errors.New(`rate is empty; give it as "300/1h", or a list of such windows`)
	}
	for _, text := range s.Rate {
		r, err := ParseRate(text)
		if err != nil {
			return nil, err
		}
		f.rates = append(f.rates, r)
	}
	if s.Burst < 0 {
		return nil, fmt.Errorf("burst is %d; it cannot be negative", s.Burst)
	}
	if s.Scope == "local" {
		f.keep = newLocal(d.Now)
	}
	if f.keep == nil {
		return nil, errors.New("there is no shared state to count in; set scope = local")
	}
	return f, nil
}

// Inspect charges all windows or, if one has no room, none.
func (f *filter) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	who, known := f.who(tx)
	if !known {
		return pipeline.Finding{}, errors.New("what the limit counts for (key) could not be found out")
	}
	n, known := f.amount(tx)
	if !known {
		return pipeline.Finding{}, errors.New("the client did not declare a size, so octets cannot be counted before data")
	}
	ws := f.windows(who)
	t, err := f.keep.Take(ctx, n, ws...)
	if err != nil {
		return pipeline.Finding{}, err
	}
	return f.finding(t, n, ws), nil
}

func (f *filter) finding(t state.Taken, n int64, ws []state.Window) pipeline.Finding {
	at := t.Over
	if t.OK {
		at = smallest(ws)
	}
	fd := pipeline.Finding{
		Facts: pipeline.Facts{
			"over":  !t.OK,
			"count": float64(t.Count),
			"limit": float64(ws[at].Max),
			"wait":  t.Wait,
		},
		Reason: f.reason(t),
	}
	if t.OK {
		fd.Charge = charge{n, ws}
	}
	return fd
}

func (f *filter) reason(t state.Taken) string {
	if t.OK {
		return fmt.Sprintf("%d in use of the fullest window", t.Count)
	}
	return fmt.Sprintf("%d of %s, room in %s", t.Count, f.rates[t.Over], t.Wait.Round(time.Second))
}

// smallest is the window that the fact limit tells of when all had room: the
// Store does not say which one its count is about.
func smallest(ws []state.Window) int {
	at := 0
	for i, w := range ws {
		if w.Max < ws[at].Max {
			at = i
		}
	}
	return at
}

// Settle gives back what a mail was charged that was not taken.
func (f *filter) Settle(ctx context.Context, fd pipeline.Finding, taken bool) {
	c, ok := fd.Charge.(charge)
	if !ok || taken {
		return
	}
	// A failure leaves the count too high until the window has passed: harmless.
	_ = f.keep.Return(ctx, c.n, c.windows...)
}

func (f *filter) who(tx *pipeline.Transaction) (string, bool) {
	if f.key != nil {
		return f.key(tx)
	}
	return tx.Client.String(), true
}

// amount is what this inspection charges: one of what is counted at its phase,
// or octets. A message is charged with its first recipient; the others ask
// whether there is room, and charge nothing.
func (f *filter) amount(tx *pipeline.Transaction) (n int64, known bool) {
	switch {
	case f.count == "bytes" && tx.Message != nil:
		return tx.Message.Size(), true
	case f.count == "bytes":
		return tx.Declared, tx.Declared > 0
	case f.count == "recipients" && tx.Message != nil:
		return int64(len(tx.To)), true
	case f.count == "messages" && tx.Message == nil && tx.Current > 0:
		return 0, true
	}
	return 1, true
}

func (f *filter) windows(who string) []state.Window {
	ws := make([]state.Window, len(f.rates))
	for i, r := range f.rates {
		ws[i] = state.Window{
			Key: f.name + " " + r.String() + " " + who,
			Max: r.Max, Per: r.Per, Burst: min(f.burst, r.Max),
		}
	}
	return ws
}

var _ pipeline.Settler = (*filter)(nil)
