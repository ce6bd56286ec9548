package appliance

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/imapstore/accounts"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/inbound"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/state"
)

var _ inbound.Allowance = (*Appliance)(nil)

// sending is how a user may send, each with what is counted: the account's own
// limits, or the store's, which hold for the people of a directory as well.
func (a *Appliance) sending(user string) [3]counted {
	own := accounts.Sending{}
	if to, err := mail.ParseAddress(user, true); err == nil {
		if acc, err := a.keep.book.Lookup(to); err == nil {
			own = acc.Sending
		}
	}
	usual := a.live().settings.Store.Sending
	pick := func(what string, own accounts.Rate, usual policies.Rate) counted {
		if own.Max == 0 {
			own = accounts.Rate(usual)
		}
		return counted{what, own, state.Window{Key: "sending/" + what + "/" + user, Max: own.Max, Per: own.Per}}
	}
	return [3]counted{pick("messages", own.Messages, usual.Messages), pick("recipients", own.Recipients, usual.Recipients), pick("bytes", own.Bytes, usual.Bytes)}
}

type counted struct {
	what   string
	rate   accounts.Rate
	window state.Window
}

// Charge is inbound.Allowance's. What the memory cannot count, because it is
// away, is let through: it says so itself.
func (a *Appliance) Charge(ctx context.Context, user string, recipients int, size int64) mail.Reply {
	n := [3]int64{1, int64(recipients), size}
	all := a.sending(user)
	st := a.live().memory
	for i, c := range all {
		if c.rate.Max <= 0 {
			continue
		}
		t, err := st.Take(ctx, n[i], c.window)
		if err != nil || t.OK {
			continue
		}
		for j, before := range all[:i] {
			if before.rate.Max > 0 {
				_ = st.Return(ctx, n[j], before.window) // if the memory is away now, it forgets by itself
			}
		}
		a.log.Warn("an account has sent as much as it may", "user", user, "what", c.what, "limit", c.rate.Max, "per", c.rate.Per)
		if n[i] > c.rate.Max {
			return mail.Refuse(52, 7, 1, fmt.Sprintf("You may send %d %s in %s, and this is one message of more", c.rate.Max, c.what, c.rate.Per))
		}
		return mail.Defer(51, 7, 1, fmt.Sprintf("You may send %d %s in %s; try again in %s", c.rate.Max, c.what, c.rate.Per, t.Wait.Round(time.Second)))
	}
	return mail.Reply{}
}

// Refund is inbound.Allowance's.
func (a *Appliance) Refund(ctx context.Context, user string, recipients int, size int64) {
	n := [3]int64{1, int64(recipients), size}
	for i, c := range a.sending(user) {
		if c.rate.Max > 0 {
			_ = a.live().memory.Return(ctx, n[i], c.window) // what is not given back comes back with time
		}
	}
}

// Users lists the accounts, with how much they have sent of what they may.
func (a *Appliance) Users() []admin.User {
	list := a.users.Users()
	for i := range list {
		list[i].Sent = a.sent(context.Background(), list[i].Name)
	}
	return list
}

// sent is how much an account has sent of what it may.
func (a *Appliance) sent(ctx context.Context, user string) (list []admin.Sent) {
	for _, c := range a.sending(user) {
		if c.rate.Max <= 0 {
			continue
		}
		t, err := a.live().memory.Take(ctx, 0, c.window)
		if err == nil {
			list = append(list, admin.Sent{What: c.what, Used: t.Count, Max: c.rate.Max, Per: c.rate.Per})
		}
	}
	return list
}

// User is all that is known of an account.
func (a *Appliance) User(ctx context.Context, name string) (admin.UserDetail, error) {
	d, err := a.users.User(ctx, name)
	if err != nil {
		return d, err
	}
	d.Sent = a.sent(ctx, d.Name)
	main, err := mail.ParseAddress(d.Name, true)
	if err != nil {
		return d, err
	}
	acc, err := a.keep.book.Lookup(main)
	if err != nil {
		return d, err
	}
	id, err := a.directory.identity(acc)
	for _, from := range id.Addresses {
		d.SendsAs = append(d.SendsAs, from.String())
	}
	slices.Sort(d.SendsAs)
	if err != nil {
		return d, err
	}
	for _, name := range append([]string{d.Name}, d.Aliases...) { // as they were typed
		n, slowed, err := a.guard.Attack(ctx, name)
		if err != nil {
			return d, err
		}
		d.Guesses, d.Slowed = d.Guesses+n, d.Slowed || slowed
	}
	known, err := a.guard.Known(ctx, d.Name)
	for _, p := range known {
		d.SeenFrom = append(d.SeenFrom, p.String())
	}
	return d, err
}

// LimitUser changes how much an account may send: "300/1h", "none", or "" for what
// is usual.
func (u users) LimitUser(ctx context.Context, name string, l admin.UserLimit) error {
	var s accounts.Sending
	for text, to := range map[*string]*accounts.Rate{&l.Messages: &s.Messages, &l.Recipients: &s.Recipients, &l.Bytes: &s.Bytes} {
		if *text == "" {
			continue
		}
		r, ok := policies.ParseRate(*text)
		if !ok {
			return fmt.Errorf("%q is no rate: write 300/1h, 500MiB/1d, or none", *text)
		}
		*to = accounts.Rate(r)
	}
	return u.k.book.SetSending(ctx, name, s)
}
