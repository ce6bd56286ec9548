package outbound

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/route"
	"github.com/forepost/forepost/relay/state"
)

// tallies is a memory that counts and forgets nothing.
type tallies struct {
	kept
	n    map[string]int64
	away bool
}

func (m *tallies) Take(_ context.Context, n int64, ws ...state.Window) (state.Taken, error) {
	if m.away {
		return state.Taken{}, state.ErrAway
	}
	for i, w := range ws {
		if m.n[w.Key]+n > w.Max {
			return state.Taken{Over: i}, nil
		}
	}
	for _, w := range ws {
		m.n[w.Key] += n
	}
	return state.Taken{OK: true, Over: -1}, nil
}

// limited is a Prober whose next server knows those whose name begins with "b".
func limited(l ProbeLimits) (p *Prober, m *tallies, asked *int) {
	m, asked = &tallies{kept: kept{m: map[string]string{}}, n: map[string]int64{}}, new(int)
	p = NewProber(pipedServer(func(cmd string) string {
		*asked++
		if strings.HasPrefix(cmd, "RCPT TO:<b") {
			return "250 ok"
		}
		return "550 5.1.1 who?"
	}))
	p.Keep(func() state.Store { return m })
	p.Bound(func() ProbeLimits { return l })
	return p, m, asked
}

// askAs asks for somebody, and gives what came of it.
func askAs(t *testing.T, p *Prober, asker, to string) string {
	t.Helper()
	refusal, known, err := p.Probe(t.Context(), &route.Route{Name: "exchange"}, mail.MustParseAddress(to+"@to.test"), asker)
	var over *Limited
	var r mail.Reply
	switch {
	case errors.As(err, &over) && errors.As(err, &r) && over.Why != "":
		return "limited " + r.String()
	case err != nil:
		return err.Error()
	case known:
		return "known"
	}
	return refusal.String()
}

// TestProbeLimits: who asks for many recipients that are not there is soon put off, without a
// question to the next server; others, who is trusted, and what is remembered are not.
func TestProbeLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, m, asked := limited(ProbeLimits{Client: Rate{30, time.Minute}, Server: Rate{100, time.Minute}})
		for i := range 3 {
			if got := askAs(t, p, "network 192.0.2.0/24", fmt.Sprint("guess", i)); got != "550 5.1.1 who?" {
				t.Fatalf("guess %d: %s", i, got)
			}
		}
		const over = "limited 451 4.7.28 Too many recipients that must be verified, try again later"
		for _, to := range []string{"guess3", "bob"} {
			if got := askAs(t, p, "network 192.0.2.0/24", to); got != over || *asked != 3 {
				t.Errorf("%s: %s, the next server was asked %d times", to, got, *asked)
			}
		}
		if got := askAs(t, p, "network 192.0.2.0/24", "guess0"); got != "550 5.1.1 who?" || *asked != 3 {
			t.Errorf("what is remembered: %s, asked %d times", got, *asked)
		}
		for _, other := range []string{"network 192.0.3.0/24", ""} {
			if got := askAs(t, p, other, "b"+other[:min(len(other), 1)]); got != "known" {
				t.Errorf("%q: %s", other, got)
			}
		}
		for i := range 29 { // known ones count once
			if got := askAs(t, p, "network 192.0.3.0/24", fmt.Sprint("b", i)); got != "known" {
				t.Fatalf("recipient %d that exists: %s", i, got)
			}
		}
		if got := askAs(t, p, "network 192.0.3.0/24", "b30"); got != over {
			t.Errorf("the 31st recipient: %s", got)
		}
		m.away = true
		if got := askAs(t, p, "network 192.0.3.0/24", "b31"); got != "known" {
			t.Errorf("where nothing can be counted mail goes on: %s", got)
		}
		time.Sleep(time.Minute) // for the leave-taking
	})
}

// TestProbeServerLimit: the next server is not asked more than it should be, whoever asks.
func TestProbeServerLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _, asked := limited(ProbeLimits{Client: Rate{1000, time.Minute}, Server: Rate{5, time.Minute}})
		for i := range 8 {
			want := "known"
			if i >= 5 {
				want = "limited 451 4.4.5 Recipients cannot be verified so fast, try again later"
			}
			if got := askAs(t, p, []string{"", "network 192.0.2.0/24", "account bob@to.test"}[i%3], fmt.Sprint("b", i)); got != want {
				t.Errorf("question %d: %s", i, got)
			}
		}
		if *asked != 5 {
			t.Errorf("the next server was asked %d times", *asked)
		}
		time.Sleep(time.Minute)
	})
}

// TestProbeConcurrency: no more questions than allowed are under way to a route; the others
// wait for their turn, and not for ever.
func TestProbeConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most, release := 0, 0, make(chan struct{})
		p := NewProber(pipedServer(func(string) string {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			<-release
			mu.Lock()
			now--
			mu.Unlock()
			return "250 ok"
		}))
		p.Bound(func() ProbeLimits { return ProbeLimits{Concurrent: 2} })
		var wg sync.WaitGroup
		var answers sync.Map
		for i := range 6 {
			wg.Go(func() { answers.Store(i, askAs(t, p, "", fmt.Sprint("b", i))) })
		}
		synctest.Wait()
		if most != 2 {
			t.Fatalf("%d questions at once", most)
		}
		close(release)
		wg.Wait()
		for i := range 6 {
			if got, _ := answers.Load(i); got != "known" {
				t.Errorf("question %d: %v", i, got)
			}
		}
		if most != 2 {
			t.Errorf("%d questions at once", most)
		}
		time.Sleep(time.Minute)
	})
}

// TestProbeTurnEnds: where the next server hangs, who waits for a turn is told to come again.
func TestProbeTurnEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p := NewProber(pipedServer(func(string) string { <-release; return "250 ok" }))
		p.Bound(func() ProbeLimits { return ProbeLimits{Concurrent: 1} })
		go askAs(t, p, "", "b1")
		synctest.Wait()
		if done, fail := p.turn(expired(t), &route.Route{Name: "exchange"}); done != nil || fail.reply.String() != "451 4.4.5 Too many recipients are being verified, try again later" {
			t.Errorf("%v", fail)
		}
		close(release)
		time.Sleep(time.Minute)
	})
}

func expired(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	t.Cleanup(cancel)
	return ctx
}
