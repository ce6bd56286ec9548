package guard

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/sasl"
	"github.com/forepost/forepost/relay/state"
)

// How long an address is known to an account, and how many failures there make
// it a stranger.
const (
	knownFor    = 30 * 24 * time.Hour
	knownErrors = 10
)

// When an account is under attack, and what slows it.
const (
	attackAfter = 8  // failures from addresses that it does not know
	attackFull  = 60 // what is remembered of them, for attackPer
	attackPer   = 30 * time.Minute
	slowLeast   = 500 * time.Millisecond
	slowMost    = 10 * time.Second
	queueMost   = 20 * time.Second // of waiting before a login is put off
	lateMost    = 5 * time.Second  // of the answer to a wrong password
	lateLeast   = 100 * time.Millisecond
	maxTurns    = 10_000 // accounts that are slowed at a time
)

// attempt is one login under way.
type attempt struct {
	c     sasl.Client
	user  string // as keys have it
	ip    netip.Prefix
	net   netip.Prefix
	known bool
}

// exempt tells whether an address is never banned.
func (g *Guard) exempt(ip netip.Addr) bool {
	if !ip.IsValid() || ip.IsLoopback() {
		return true
	}
	for _, p := range g.o.Settings().Never {
		if p.Contains(ip) {
			return true
		}
	}
	return false
}

// begin tells whether a login is looked at.
func (g *Guard) begin(ctx context.Context, c sasl.Client, user string) (attempt, error) {
	a := attempt{c: c, user: strings.ToLower(user)}
	a.ip, a.net = scopes(c.IP)
	st := g.o.State()
	v, err := st.Get(ctx, a.knownKey())
	if err != nil {
		g.o.Log.Debug("logins are checked without their memory", "error", err)
		return a, nil
	}
	a.known = v != ""
	if a.known || g.exempt(c.IP) {
		return a, nil
	}
	for _, p := range []netip.Prefix{a.ip, a.net} {
		if b, ok := g.banOf(ctx, p); ok {
			return a, &sasl.Later{Text: "Too many wrong passwords from " + p.String() + "; logins from there are looked at again at " +
				b.Until.UTC().Format("15:04") + " UTC"}
		}
	}
	return a, nil
}

// slow lets the logins of an account under attack take turns.
func (g *Guard) slow(ctx context.Context, a attempt) error {
	if a.known {
		return nil
	}
	t, err := g.o.State().Take(ctx, 0, a.attack())
	if err != nil || t.Count < attackAfter {
		return nil
	}
	gap := min(slowLeast<<min((t.Count-attackAfter)/4, 5), slowMost)
	wait, ok := g.queue(a.user, gap)
	if !ok {
		return &sasl.Later{Text: "Too many logins for this account at the moment; try again in a minute"}
	}
	return pause(ctx, wait)
}

// queue gives a login its turn.
func (g *Guard) queue(user string, gap time.Duration) (wait time.Duration, ok bool) {
	now := g.o.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.turn) >= maxTurns {
		for u, t := range g.turn {
			if t.Before(now) {
				delete(g.turn, u)
			}
		}
	}
	at := g.turn[user]
	if at.Before(now) {
		at = now
	}
	if at = at.Add(gap); at.Sub(now) > queueMost || len(g.turn) >= maxTurns {
		return 0, false
	}
	g.turn[user] = at
	return at.Sub(now), true
}

// end notes how a login ended.
func (g *Guard) end(ctx context.Context, a attempt, id mail.Identity, err error) error {
	switch {
	case err == nil:
		g.noteKnown(ctx, a, id)
	case errors.Is(err, sasl.ErrCredentials):
		return errors.Join(err, g.failed(ctx, a))
	}
	return err
}

// noteKnown remembers from where an account logged in, under the name that it
// gave and under its own.
func (g *Guard) noteKnown(ctx context.Context, a attempt, id mail.Identity) {
	if !a.ip.IsValid() {
		return
	}
	st := g.o.State()
	err := st.Put(ctx, a.knownKey(), "1", knownFor)
	if user := strings.ToLower(id.User); err == nil && user != a.user {
		a.user = user
		err = st.Put(ctx, a.knownKey(), "1", knownFor)
	}
	if err != nil {
		g.o.Log.Debug("where an account logs in from was not noted", "error", err)
	}
}

// failed counts a failure, and bans where it was one too many. Its own trouble
// with the memory is none of the client's.
func (g *Guard) failed(ctx context.Context, a attempt) error {
	st := g.o.State()
	if a.known {
		t, err := st.Take(ctx, 1, state.Window{Key: "login/pair/" + a.user + " " + a.ip.String(), Max: knownErrors, Per: attackPer / 3})
		if err == nil && !t.OK {
			g.o.Log.Warn("too many wrong passwords from where an account usually logs in: it counts as a stranger now", "user", a.user, "client", a.c.IP)
			_ = st.Delete(ctx, a.knownKey()) // if the memory is away, it is known a little longer
		}
		return nil
	}
	if t, err := st.Take(ctx, 1, a.attack()); err == nil && t.OK && t.Count == attackAfter {
		g.o.Log.Warn("an account is under attack: its logins from unknown addresses are slowed", "user", a.user, "client", a.c.IP)
	}
	if g.exempt(a.c.IP) {
		return nil
	}
	set := g.o.Settings().withDefaults()
	n := int64(set.Failures)
	t, err := st.Take(ctx, 1,
		state.Window{Key: "login/ip/" + a.ip.String(), Max: n, Per: set.Per, Burst: n - 1},
		state.Window{Key: "login/day/" + a.ip.String(), Max: 5 * n, Per: 24 * time.Hour, Burst: 5*n - 1},
		state.Window{Key: "login/net/" + a.net.String(), Max: 4 * n, Per: set.Per, Burst: 4*n - 1})
	switch {
	case err != nil:
		return nil
	case !t.OK && t.Over == 2:
		g.punish(ctx, a, a.net, "network")
	case !t.OK:
		g.punish(ctx, a, a.ip, "address")
	default:
		return pause(ctx, min(lateLeast<<min(t.Count, 10), lateMost))
	}
	return nil
}

const knownPrefix = "login/known/"

func (a attempt) knownKey() string { return knownPrefix + a.user + " " + a.ip.String() }

func (a attempt) attack() state.Window {
	return state.Window{Key: "login/user/" + a.user, Max: attackFull, Per: attackPer}
}

// scopes are what counts as one client, and as its network.
func scopes(ip netip.Addr) (one, many netip.Prefix) {
	if !ip.IsValid() {
		return
	}
	ip = ip.Unmap().WithZone("")
	bits, net := 32, 24
	if ip.Is6() {
		bits, net = 64, 56
	}
	one, _ = ip.Prefix(bits)
	many, _ = ip.Prefix(net)
	return one, many
}

// pause waits, unless ctx ends; then the login could not be checked.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
