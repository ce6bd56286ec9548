package pipeline

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// probe is a filter that counts its runs and does what a test says.
type probe struct {
	runs    atomic.Int32
	settled []bool
	do      func(ctx context.Context, tx *Transaction) (Finding, error)
}

func (p *probe) Inspect(ctx context.Context, tx *Transaction) (Finding, error) {
	p.runs.Add(1)
	if p.do == nil {
		return Finding{}, nil
	}
	return p.do(ctx, tx)
}

func (p *probe) Settle(_ context.Context, _ Finding, taken bool) {
	p.settled = append(p.settled, taken)
}

func instance(p *probe, s Scope) *Instance {
	return &Instance{Name: "probe", Kind: "probe", Filter: p, Scope: s}
}

// A filter runs once for each thing that it is about, however often and from
// however many places it is asked.
func TestAFilterRunsOnceForWhatItIsAbout(t *testing.T) {
	for _, c := range []struct {
		scope Scope
		runs  int32
	}{{PerSession, 1}, {PerMessage, 2}, {PerRecipient, 6}} {
		p := &probe{}
		in := instance(p, c.scope)
		s := &Session{}
		for range 2 { // transactions
			tx := NewTransaction(s)
			var all sync.WaitGroup
			for to := range 3 {
				for range 4 {
					all.Go(func() { tx.For(to).Find(t.Context(), in) })
				}
			}
			all.Wait()
		}
		if got := p.runs.Load(); got != c.runs {
			t.Errorf("scope %d: %d runs, want %d", c.scope, got, c.runs)
		}
	}
}

// A message may have more recipients than are looked through one by one: each
// still has its own finding, and what is forgotten is found anew.
func TestFindingsOfManyRecipients(t *testing.T) {
	const n = 3 * fewFinds
	p := &probe{}
	in, other := instance(p, PerRecipient), instance(&probe{}, PerMessage)
	tx := NewTransaction(&Session{})
	ask := func() {
		tx.Find(t.Context(), other)
		for to := range n {
			if r := tx.For(to).Find(t.Context(), in); r.To != to {
				t.Errorf("the finding about %d is about %d", to, r.To)
			}
		}
	}
	ask()
	ask()
	if got := p.runs.Load(); got != n || len(tx.Results()) != n+1 {
		t.Errorf("%d runs, %d results", got, len(tx.Results()))
	}
	tx.Forget(n - 1)
	tx.Forget(0)
	ask()
	if got := p.runs.Load(); got != n+2 {
		t.Errorf("%d runs after two were forgotten", got)
	}
}

func TestStartedEarlyFoundLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{do: func(ctx context.Context, tx *Transaction) (Finding, error) {
			time.Sleep(30 * time.Millisecond)
			return Finding{Reason: "asked"}, nil
		}}
		tx := NewTransaction(&Session{})
		in := instance(p, PerMessage)
		tx.Start(t.Context(), in)
		time.Sleep(50 * time.Millisecond)
		before := time.Now()
		if r := tx.Find(t.Context(), in); r.Finding.Reason != "asked" || time.Since(before) != 0 {
			t.Errorf("%+v, after %v more", r, time.Since(before))
		}
	})
}

func TestAFilterThatHangsOrPanicsCouldNotTell(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tx := NewTransaction(&Session{})
		hang := &Instance{Name: "hang", Timeout: time.Second, Filter: &probe{do: func(ctx context.Context, _ *Transaction) (Finding, error) {
			<-ctx.Done()
			return Finding{}, ctx.Err()
		}}}
		if r := tx.Find(t.Context(), hang); !errors.Is(r.Err, context.DeadlineExceeded) || r.Took != time.Second {
			t.Errorf("a filter that hangs gives %+v", r)
		}
		boom := &Instance{Name: "boom", Filter: &probe{do: func(context.Context, *Transaction) (Finding, error) { panic("oh") }}}
		if r := tx.Find(t.Context(), boom); r.Err == nil || !strings.Contains(r.Err.Error(), "boom panicked: oh") {
			t.Errorf("a filter that panics gives %v", r.Err)
		}
	})
}

// What could not be finished because a transaction was given up, or a verdict
// came first, is no finding: who asks later asks anew.
func TestWhatWasGivenUpIsAskedAnew(t *testing.T) {
	for _, scope := range []Scope{PerSession, PerMessage, PerRecipient} {
		p := &probe{do: func(ctx context.Context, _ *Transaction) (Finding, error) { return Finding{Reason: "ok"}, ctx.Err() }}
		in := instance(p, scope)
		tx := NewTransaction(&Session{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if r := tx.Find(ctx, in); r.Err == nil {
			t.Fatal("a cancelled filter found something")
		}
		if rs := tx.Results(); len(rs) != 0 {
			t.Errorf("scope %d: what was given up stands as %+v", scope, rs)
		}
		if r := tx.Find(t.Context(), in); r.Err != nil || r.Finding.Reason != "ok" {
			t.Errorf("scope %d: asked anew it gives %+v", scope, r)
		}
	}
}

// Who waits for a run whose starter gives up gets a finding all the same.
func TestWaitingForWhatIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &probe{}
		p.do = func(ctx context.Context, _ *Transaction) (Finding, error) {
			if p.runs.Load() == 1 {
				<-ctx.Done()
			}
			return Finding{Reason: "ok"}, ctx.Err()
		}
		in := instance(p, PerMessage)
		tx := NewTransaction(&Session{})
		ctx, cancel := context.WithCancel(t.Context())
		tx.Start(ctx, in)
		synctest.Wait()
		time.AfterFunc(time.Second, cancel)
		if r := tx.Find(t.Context(), in); r.Err != nil || r.Finding.Reason != "ok" || p.runs.Load() != 2 {
			t.Errorf("%+v after %d runs", r, p.runs.Load())
		}
	})
}

func TestAskNamesWhatIsMissing(t *testing.T) {
	tx := NewTransaction(&Session{})
	tx.Use(NewSet(instance(&probe{}, PerMessage)))
	if _, err := tx.Ask(t.Context(), "probe"); err != nil {
		t.Error(err)
	}
	if _, err := tx.Ask(t.Context(), "spf"); err == nil || !strings.Contains(err.Error(), `"spf"`) {
		t.Errorf("asking for a filter that is not there: %v", err)
	}
}

func TestChargesAreSettledOnce(t *testing.T) {
	p := &probe{do: func(context.Context, *Transaction) (Finding, error) { return Finding{Charge: 1}, nil }}
	in := instance(p, PerRecipient)
	tx := NewTransaction(&Session{})
	tx.For(0).Find(t.Context(), in)
	tx.Settle(t.Context(), 0, false)
	tx.Settle(t.Context(), 0, true)
	tx.Forget(0)
	tx.For(0).Find(t.Context(), in) // the next recipient, at the index of the refused one
	tx.Settle(t.Context(), 0, true)
	if len(p.settled) != 2 || p.settled[0] || !p.settled[1] || p.runs.Load() != 2 {
		t.Errorf("settled %v in %d runs", p.settled, p.runs.Load())
	}
}

func TestResultsAreInOrder(t *testing.T) {
	tx := NewTransaction(&Session{})
	b := &Instance{Name: "b", Filter: &probe{}, Scope: PerRecipient}
	a := &Instance{Name: "a", Filter: &probe{}, Scope: PerSession}
	tx.For(1).Find(t.Context(), b)
	tx.For(0).Find(t.Context(), b)
	tx.Find(t.Context(), a)
	var got []string
	for _, r := range tx.Results() {
		got = append(got, r.Instance.Name+string(rune('0'+max(r.To, 0))))
	}
	if s := strings.Join(got, " "); s != "a0 b0 b1" {
		t.Errorf("results are %s", s)
	}
}
