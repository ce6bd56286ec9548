package guard

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/state"
	"github.com/forepost/forepost/relay/trail"
)

// Ban is an address or a network whose logins are not looked at.
type Ban struct {
	Network netip.Prefix `json:"network"`
	Since   time.Time    `json:"since"`
	Until   time.Time    `json:"until"`
	Why     string       `json:"why"`
}

const (
	banPrefix = "login/ban/"
	countFor  = 7 * 24 * time.Hour // how long earlier bans count
)

// banOf finds the ban of exactly that network.
func (g *Guard) banOf(ctx context.Context, p netip.Prefix) (b Ban, ok bool) {
	text, err := g.o.State().Get(ctx, banPrefix+p.String())
	if err != nil || text == "" || json.Unmarshal([]byte(text), &b) != nil {
		return b, false
	}
	return b, true
}

// punish bans for a time that grows, and tells the log, the trail and the meter.
func (g *Guard) punish(ctx context.Context, a attempt, p netip.Prefix, kind string) {
	st, set := g.o.State(), g.o.Settings().withDefaults()
	times := 0
	key := "login/bans/" + p.String()
	if v, err := st.Get(ctx, key); err == nil {
		times, _ = strconv.Atoi(v) // what is no number is none
	}
	d := min(set.Ban<<min(2*times, 16), set.MaxBan)
	why := fmt.Sprintf("too many wrong passwords over %s, the last for %q", a.c.Protocol, a.user)
	b, err := g.put(ctx, p, d, why)
	if err == nil {
		err = st.Put(ctx, key, strconv.Itoa(times+1), countFor)
	}
	if err != nil {
		g.o.Log.Error("an address that guesses passwords could not be banned", "network", p.String(), "error", err)
		return
	}
	bans.WithLabelValues(kind).Inc()
	g.o.Log.Warn("banned for guessing passwords", "id", string(a.c.ID), "network", p.String(), "until", b.Until, "protocol", a.c.Protocol,
		"client", a.c.IP, "user", a.user, "undo", "forepost ban remove "+p.String())
	if a.c.ID == "" {
		return
	}
	g.o.Trail.Record(&trail.Record{ID: a.c.ID, Time: g.o.Now(), Listener: a.c.Listener, Client: trail.Client{IP: a.c.IP.String()},
		Outcomes: []trail.Outcome{{Action: "ban", Rule: "builtin.logins", Where: p.String(), Reply: why + "; until " + b.Until.UTC().Format(time.RFC3339)}}})
}

func (g *Guard) put(ctx context.Context, p netip.Prefix, d time.Duration, why string) (Ban, error) {
	now := g.o.Now()
	b := Ban{Network: p, Since: now, Until: now.Add(d), Why: why}
	text, err := json.Marshal(b)
	if err != nil {
		return b, err
	}
	return b, g.o.State().Put(ctx, banPrefix+p.String(), string(text), d)
}

// ErrScope is what Ban says of a network that no login would be compared with.
var ErrScope = errors.New("a ban is of an address or of its network: /32 or /24, for IPv6 /64 or /56")

// Ban bans by hand. p is an address, or the network that is counted with it.
func (g *Guard) Ban(ctx context.Context, p netip.Prefix, d time.Duration, why string) (Ban, error) {
	p, err := scope(p)
	if err != nil {
		return Ban{}, err
	}
	return g.put(ctx, p, d, why)
}

// Unban ends a ban, and forgets what led to it.
func (g *Guard) Unban(ctx context.Context, p netip.Prefix) error {
	p, err := scope(p)
	if err != nil {
		return err
	}
	st := g.o.State()
	if _, ok := g.banOf(ctx, p); !ok {
		return fmt.Errorf("%s is not banned", p)
	}
	set := g.o.Settings().withDefaults()
	n := int64(set.Failures)
	back := []state.Window{{Key: "login/ip/" + p.String(), Max: n, Per: set.Per}, {Key: "login/day/" + p.String(), Max: 5 * n, Per: 24 * time.Hour}}
	if one, _ := scopes(p.Addr()); p != one {
		back = []state.Window{{Key: "login/net/" + p.String(), Max: 4 * n, Per: set.Per}}
	}
	return errors.Join(st.Delete(ctx, banPrefix+p.String()), st.Delete(ctx, "login/bans/"+p.String()), st.Return(ctx, 5*n, back...))
}

// scope makes an IPv6 address its /64, and refuses what is neither of the sizes
// that logins are counted by.
func scope(p netip.Prefix) (netip.Prefix, error) {
	if !p.IsValid() {
		return p, ErrScope
	}
	one, many := scopes(p.Addr())
	switch {
	case p.Bits() == p.Addr().BitLen(), p.Masked() == one:
		return one, nil
	case p.Masked() == many:
		return many, nil
	}
	return p, ErrScope
}

// list is what is kept under keys that begin so.
func (g *Guard) list(ctx context.Context, prefix string) ([]state.Kept, error) {
	l, ok := g.o.State().(state.Lister)
	if !ok {
		return nil, errors.New("guard: the memory cannot list")
	}
	return l.List(ctx, prefix)
}

// Known are the addresses from which a user logged in within the last 30 days: bans
// and slowing do not hold there.
func (g *Guard) Known(ctx context.Context, user string) (list []netip.Prefix, err error) {
	prefix := knownPrefix + strings.ToLower(user) + " "
	kept, err := g.list(ctx, prefix)
	for _, k := range kept {
		if p, err := netip.ParsePrefix(strings.TrimPrefix(k.Key, prefix)); err == nil {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(x, y netip.Prefix) int { return x.Addr().Compare(y.Addr()) })
	return list, err
}

// Attack tells how many wrong passwords for a user came from addresses unknown to it
// within half an hour, and whether its logins are slowed for that.
func (g *Guard) Attack(ctx context.Context, user string) (failures int64, slowed bool, err error) {
	t, err := g.o.State().Take(ctx, 0, attempt{user: strings.ToLower(user)}.attack())
	return t.Count, t.Count >= attackAfter, err
}

// Bans are those in force, those that end first before the others.
func (g *Guard) Bans(ctx context.Context) ([]Ban, error) {
	kept, err := g.list(ctx, banPrefix)
	if err != nil {
		return nil, err
	}
	var list []Ban
	for _, k := range kept {
		var b Ban
		if json.Unmarshal([]byte(k.Value), &b) == nil {
			list = append(list, b)
		}
	}
	slices.SortFunc(list, func(x, y Ban) int {
		return cmp.Or(x.Until.Compare(y.Until), strings.Compare(x.Network.String(), y.Network.String()))
	})
	return list, nil
}
