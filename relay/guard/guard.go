// Package guard keeps those out who guess passwords: it counts failed logins of
// an address, a network and an account, in a memory that nodes share, slows
// accounts under attack and bans addresses.
package guard

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/meter"
	"github.com/forepost/forepost/relay/sasl"
	"github.com/forepost/forepost/relay/state"
	"github.com/forepost/forepost/relay/trail"
)

var (
	attempts = meter.Counter("forepost_auth_attempts_total", "Logins: ok, refused, later (put off: a ban, or an account under attack), or error where nobody could tell.", "protocol", "result")
	bans     = meter.Counter("forepost_login_bans_total", "Bans for guessing passwords, of an address or a network.", "kind")
)

// Settings are what the operator chooses; a zero means the default.
type Settings struct {
	Failures int            // of an address in Per before it is banned; default 10
	Per      time.Duration  // default 10 minutes
	Ban      time.Duration  // the first ban; default 15 minutes
	MaxBan   time.Duration  // default 24 hours
	Never    []netip.Prefix // networks that are never banned
}

func (s Settings) withDefaults() Settings {
	s.Failures = cmp.Or(s.Failures, 10)
	s.Per = cmp.Or(s.Per, 10*time.Minute)
	s.Ban = cmp.Or(s.Ban, 15*time.Minute)
	s.MaxBan = max(cmp.Or(s.MaxBan, 24*time.Hour), s.Ban)
	return s
}

// Options of New. All are needed.
type Options struct {
	State    func() state.Store // in force; asked each time
	Settings func() Settings
	Trail    trail.Writer
	Now      func() time.Time
	Log      *slog.Logger
}

// Guard is safe for concurrent use.
type Guard struct {
	o Options

	mu   sync.Mutex
	turn map[string]time.Time // of accounts under attack: when the next login is looked at
}

// New makes a guard.
func New(o Options) *Guard { return &Guard{o: o, turn: map[string]time.Time{}} }

// Wrap guards logins.
func (g *Guard) Wrap(l sasl.Logins) sasl.Logins { return guarded{g, l} }

type guarded struct {
	g    *Guard
	next sasl.Logins
}

// SCRAM implements sasl.Logins.
func (l guarded) SCRAM() bool { return l.next.SCRAM() }

// Password implements sasl.Logins.
func (l guarded) Password(ctx context.Context, c sasl.Client, user, password string) (mail.Identity, error) {
	a, err := l.g.begin(ctx, c, user)
	if err == nil {
		err = l.g.slow(ctx, a)
	}
	if err != nil {
		return mail.Identity{}, l.g.count(c, err)
	}
	id, err := l.next.Password(ctx, c, user, password)
	return id, l.g.count(c, l.g.end(ctx, a, id, err))
}

// Keys implements sasl.Logins.
func (l guarded) Keys(ctx context.Context, c sasl.Client, user string) (sasl.Keys, error) {
	if _, err := l.g.begin(ctx, c, user); err != nil {
		return sasl.Keys{}, l.g.count(c, err)
	}
	keys, err := l.next.Keys(ctx, c, user)
	if err != nil {
		l.g.count(c, err)
	}
	return keys, err
}

// Proved implements sasl.Logins.
func (l guarded) Proved(ctx context.Context, c sasl.Client, user string, right bool) (mail.Identity, error) {
	a, err := l.g.begin(ctx, c, user) // others may have had it banned meanwhile
	if err == nil {
		err = l.g.slow(ctx, a)
	}
	if err != nil {
		return mail.Identity{}, l.g.count(c, err)
	}
	id, err := l.next.Proved(ctx, c, user, right)
	return id, l.g.count(c, l.g.end(ctx, a, id, err))
}

// count counts a login and gives its error on.
func (g *Guard) count(c sasl.Client, err error) error {
	var later *sasl.Later
	result := "error"
	switch {
	case err == nil:
		result = "ok"
	case errors.Is(err, sasl.ErrCredentials):
		result = "refused"
	case errors.As(err, &later):
		result = "later"
	}
	attempts.WithLabelValues(c.Protocol, result).Inc()
	return err
}
