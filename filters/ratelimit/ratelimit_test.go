package ratelimit_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/filtertest"
	"github.com/forepost/forepost/filters/ratelimit"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/state"
)

// limit is one instance with its clock.
type limit struct {
	*testing.T
	*filtertest.Clock
	f  pipeline.Filter
	tx *pipeline.Transaction
}

// both runs a test with the shared state and with local limiters: one contract.
func both(t *testing.T, settings string, test func(l *limit)) {
	for _, scope := range []string{"shared", "local"} {
		t.Run(scope, func(t *testing.T) {
			c := filtertest.NewClock()
			s := ratelimit.Kind().Settings()
			if err := filtertest.Decode(settings+"\nscope = "+scope, s); err != nil {
				t.Fatal(err)
			}
			f, err := ratelimit.Kind().Build(s, filters.Deps{Name: "limit:x", State: filtertest.State(t, c.Now), Now: c.Now})
			if err != nil {
				t.Fatal(err)
			}
			tx := pipeline.NewTransaction(&pipeline.Session{Client: netip.MustParseAddr("192.0.2.1")})
			test(&limit{t, c, f, tx})
		})
	}
}

// ask inspects once and checks over and count.
func (l *limit) ask(over bool, count float64) pipeline.Finding {
	l.Helper()
	fd, err := l.f.Inspect(l.Context(), l.tx)
	if err != nil {
		l.Fatal(err)
	}
	if fd.Facts["over"] != over || fd.Facts["count"] != count {
		l.Errorf("over %v, count %v; want %v, %v", fd.Facts["over"], fd.Facts["count"], over, count)
	}
	filtertest.CheckSchema(l, ratelimit.Kind(), fd)
	return fd
}

func TestOverAndBack(t *testing.T) {
	both(t, `rate = ["3/1h"]`, func(l *limit) {
		for n := range 3 {
			l.ask(false, float64(n+1))
		}
		fd := l.ask(true, 4)
		if fd.Facts["wait"] != 20*time.Minute || fd.Facts["limit"] != 3.0 {
			l.Errorf("%v", fd.Facts)
		}
		l.Pass(20 * time.Minute)
		l.ask(false, 3)
		l.ask(true, 4)
	})
}

func TestKeysAreApart(t *testing.T) {
	both(t, `rate = ["1/1h"]`, func(l *limit) {
		l.ask(false, 1)
		l.ask(true, 2)
		l.tx.Client = netip.MustParseAddr("192.0.2.2")
		l.ask(false, 1)
	})
}

func TestSeveralWindowsAreChargedTogetherOrNotAtAll(t *testing.T) {
	both(t, `rate = ["1/1m", "2/1h"]`, func(l *limit) {
		l.ask(false, 1)
		fd := l.ask(true, 2)
		if fd.Facts["limit"] != 1.0 {
			l.Errorf("the window that is over is the first: %v", fd.Facts)
		}
		// the refusal did not charge the hour
		l.Pass(time.Minute)
		l.ask(false, 1) // of the minute, which is as full as the hour and stands first
		l.Pass(time.Minute)
		if fd := l.ask(true, 3); fd.Facts["limit"] != 2.0 {
			l.Errorf("the window that is over is the second: %v", fd.Facts)
		}
	})
}

func TestSettleGivesBackWhatWasNotTaken(t *testing.T) {
	both(t, `rate = ["2/1h"]`, func(l *limit) {
		s := l.f.(pipeline.Settler)
		s.Settle(l.Context(), l.ask(false, 1), false)
		s.Settle(l.Context(), l.ask(false, 1), true)
		l.ask(false, 2)
		s.Settle(l.Context(), l.ask(true, 3), false) // nothing was charged, nothing comes back
		l.ask(true, 3)
	})
}

func TestBurst(t *testing.T) {
	both(t, "rate = [\"60/1h\"]\nburst = 2", func(l *limit) {
		l.ask(false, 1)
		l.ask(false, 2)
		l.ask(true, 3)
		l.Pass(time.Minute)
		l.ask(false, 2)
	})
}

func TestWhatIsCounted(t *testing.T) {
	both(t, "rate = [\"10/1h\"]\ncount = recipients", func(l *limit) {
		l.ask(false, 1) // at RCPT: the one in question
		l.tx.Message = &mail.Message{Blob: mail.Bytes("x")}
		l.tx.To = make([]pipeline.Recipient, 4)
		l.ask(false, 5) // at the end of data: all of them
	})
	both(t, "rate = [\"1000/1h\"]\ncount = bytes", func(l *limit) {
		if _, err := l.f.Inspect(l.Context(), l.tx); err == nil {
			l.Error("no size was declared, and octets were counted")
		}
		l.tx.Declared = 300
		l.ask(false, 300)
		l.tx.Message = &mail.Message{Blob: make(mail.Bytes, 400)}
		l.ask(false, 700)
		l.ask(true, 1100)
	})
	both(t, "rate = [\"1/1h\"]\ncount = messages", func(l *limit) {
		l.ask(false, 1)
		l.tx.Current = 1
		l.ask(false, 1) // the second recipient of the same message
		l.tx.Current = 0
		l.ask(true, 2) // the next message
	})
	both(t, "rate = [\"10/1h\"]\nkey = unknown", func(l *limit) {
		if _, err := l.f.Inspect(l.Context(), l.tx); err == nil {
			l.Error("an unknown key was counted")
		}
	})
}

// away is a state that cannot be reached.
type away struct{ state.Store }

func (away) Take(context.Context, int64, ...state.Window) (state.Taken, error) {
	return state.Taken{}, state.ErrAway
}

func TestStateAway(t *testing.T) {
	f, err := ratelimit.Kind().Build(&ratelimit.Settings{Rate: []string{"1/h"}}, filters.Deps{State: away{}})
	if err != nil {
		t.Fatal(err)
	}
	fd, err := f.Inspect(t.Context(), pipeline.NewTransaction(&pipeline.Session{}))
	if !errors.Is(err, state.ErrAway) || fd.Facts["over"] == true {
		t.Errorf("%v, %v: it could not tell, which is not over", fd, err)
	}
}

func TestRates(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"300/1h": time.Hour, "1/s": time.Second, "5/7d": 7 * 24 * time.Hour, " 2 / 1w ": 7 * 24 * time.Hour, "3/90m": 90 * time.Minute,
	} {
		if r, err := ratelimit.ParseRate(text); err != nil || r.Per != want {
			t.Errorf("%q: %v, %v", text, r.Per, err)
		}
	}
	for _, text := range []string{"", "300", "0/1h", "-1/1h", "300/", "300/0s", "300/-1h", "x/1h", "1/1y", "1/99999d", "99999999999999999999/1h"} {
		if r, err := ratelimit.ParseRate(text); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("%q", text)) {
			t.Errorf("%q: %v, %v; want an error that shows it", text, r, err)
		}
	}
}

func TestBuildSaysWhatIsWrong(t *testing.T) {
	for want, s := range map[string]ratelimit.Settings{
		"rate is empty":        {},
		"burst is -1":          {Rate: []string{"1/h"}, Burst: -1},
		"there is no shared":   {Rate: []string{"1/h"}, Scope: "shared"},
		`the rate "1 an hour"`: {Rate: []string{"1 an hour"}},
	} {
		if _, err := ratelimit.Kind().Build(&s, filters.Deps{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
}
