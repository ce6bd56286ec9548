package appliance

import (
	"context"
	"fmt"
	"net/netip"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/relay/guard"
	"github.com/forepost/forepost/relay/state"
)

// newGuard makes what keeps guessers of passwords out, by the settings in force.
func (a *Appliance) newGuard() *guard.Guard {
	return guard.New(guard.Options{
		State:    func() state.Store { return a.live().memory },
		Settings: func() guard.Settings { return guard.Settings(a.live().settings.Logins) },
		Trail:    a.keep.trail, Now: a.o.Now, Log: a.log.With("room", "guard"),
	})
}

// Bans lists the bans in force.
func (a *Appliance) Bans(ctx context.Context) (list []admin.Ban, err error) {
	bs, err := a.guard.Bans(ctx)
	for _, b := range bs {
		list = append(list, banOf(b))
	}
	return list, err
}

func banOf(b guard.Ban) admin.Ban {
	return admin.Ban{Network: b.Network.String(), Since: b.Since, Until: b.Until, Why: b.Why}
}

// AddBan bans by hand.
func (a *Appliance) AddBan(ctx context.Context, n admin.NewBan) (admin.Ban, error) {
	p, err := banned(n.Network)
	if err != nil {
		return admin.Ban{}, err
	}
	if n.For <= 0 {
		return admin.Ban{}, fmt.Errorf("a ban of %v is none", n.For)
	}
	b, err := a.guard.Ban(ctx, p, n.For, n.Why)
	return banOf(b), err
}

// RemoveBan ends a ban.
func (a *Appliance) RemoveBan(ctx context.Context, network string) error {
	p, err := banned(network)
	if err != nil {
		return err
	}
	return a.guard.Unban(ctx, p)
}

// banned reads an address or a network.
func banned(s string) (netip.Prefix, error) {
	if ip, err := netip.ParseAddr(s); err == nil {
		ip = ip.Unmap()
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("%q is no address and no network: write 192.0.2.1 or 192.0.2.0/24", s)
	}
	return p, nil
}
