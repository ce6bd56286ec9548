package appliance

import (
	"context"
	"errors"
	"net/netip"
	"strings"

	"github.com/forepost/forepost/imapstore/accounts"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/outbound"
	"github.com/forepost/forepost/relay/pipeline"
)

// maxAliasDepth bounds aliases that lead to aliases.
const maxAliasDepth = 10

// directory knows who is here, by the configuration in force and the accounts:
// what the SMTP edge asks. It implements inbound.Directory.
type directory struct {
	live func() *live
	book book
	// ask is recipient verification by asking the next server (callout).
	ask func(ctx context.Context, asker string, to mail.Address) (known bool, refusal mail.Reply, err error)
	by  string // for whom it is asked, "" for somebody trusted
}

// AcceptsFor is Accepts for a client, which may not ask the next server too much.
// It implements inbound.AskedDirectory.
func (d *directory) AcceptsFor(ctx context.Context, by *pipeline.Session, to mail.Address) (mail.Acceptance, error) {
	one := *d
	one.by = asker(by)
	return one.Accepts(ctx, to)
}

// asker names a client as limits of callouts count it: an account, or its network
// (/24, or /64 of IPv6).
func asker(s *pipeline.Session) string {
	switch client := s.Client.Unmap(); {
	case s.Auth.User != "":
		return "account " + strings.ToLower(s.Auth.User)
	case s.Trusted || !client.IsValid() || client.IsLoopback():
		return ""
	case client.Is4():
		return "network " + netip.PrefixFrom(client, 24).Masked().String()
	default:
		return "network " + netip.PrefixFrom(client.WithZone(""), 64).Masked().String()
	}
}

// book is what the directory asks of the accounts.
type book interface {
	Lookup(a mail.Address) (accounts.Account, error)
}

// Accepts tells whether a recipient is ours and exists, aliases resolved.
func (d *directory) Accepts(ctx context.Context, to mail.Address) (mail.Acceptance, error) {
	l := d.live()
	if to.Domain == "" { // <Postmaster>, RFC 5321 section 4.1.1.3
		to = l.settings.Postmaster
	}
	domain, ours := l.domains[to.Domain]
	if !ours {
		return mail.Acceptance{}, nil
	}
	acc := mail.Acceptance{Ours: true, Domain: domain.Name}
	if acc, is := returned(l, to, acc); is {
		return acc, nil
	}
	final, err := d.resolve(ctx, l, to, 0)
	if err != nil {
		var limited *outbound.Limited
		if errors.As(err, &limited) {
			acc.Reply, acc.Rule, acc.Why = limited.Reply, "callout", limited.Why
			return acc, nil
		}
		var refusal mail.Reply
		if errors.As(err, &refusal) {
			acc.Reply = refusal
			return acc, nil
		}
		return acc, err
	}
	acc.Known, acc.Final = len(final) > 0, final
	return acc, nil
}

// resolve follows aliases to the addresses that exist; none means unknown. What
// is written out goes before an address without its detail, and that before the
// domain's catch-all.
func (d *directory) resolve(ctx context.Context, l *live, to mail.Address, depth int) ([]mail.Address, error) {
	domain, ours := l.domains[to.Domain]
	if !ours {
		return []mail.Address{to}, nil // an alias that leads elsewhere
	}
	final, err := d.exact(ctx, l, domain, to, depth)
	if err != nil && !refuses(err) || len(final) > 0 { // who may exist does not fall to the catch-all
		return final, err
	}
	if base, _, ok := domain.Base(to); ok {
		if final, err := d.withDetail(ctx, l, domain, base, to, depth); err != nil || len(final) > 0 {
			return final, err
		}
	}
	if final, err := d.postmaster(ctx, l, to, depth); err != nil || len(final) > 0 {
		return final, err
	}
	if _, all := domain.Aliases["*"]; all && depth < maxAliasDepth {
		return d.alias(ctx, l, to, domain.Aliases["*"], depth)
	}
	return nil, err
}

// refuses tells whether an error is the next server's word that nobody is there.
func refuses(err error) bool {
	var r mail.Reply
	return errors.As(err, &r) && r.Class == mail.Permanent
}

// exact is an alias, or an address that is known as it stands.
func (d *directory) exact(ctx context.Context, l *live, domain *policies.Domain, to mail.Address, depth int) ([]mail.Address, error) {
	if alias, ok := domain.Aliases[strings.ToLower(to.Local)]; ok && to.Local != "*" && depth < maxAliasDepth {
		return d.alias(ctx, l, to, alias, depth)
	}
	known, err := d.known(ctx, domain, to)
	if err != nil || !known {
		return nil, err
	}
	return []mail.Address{to}, nil
}

func (d *directory) alias(ctx context.Context, l *live, to mail.Address, alias []mail.Address, depth int) ([]mail.Address, error) {
	var all []mail.Address
	for _, a := range alias {
		final, err := d.member(ctx, l, to, a, depth+1)
		if err != nil {
			return nil, err
		}
		all = append(all, final...)
	}
	return distinct(all), nil
}

// withDetail is bob+shop where bob is known. The store delivers to bob; another
// server is told the whole address, since what the detail means is its matter.
// With callout it has been asked about that, and its answer counts.
func (d *directory) withDetail(ctx context.Context, l *live, domain *policies.Domain, base, to mail.Address, depth int) ([]mail.Address, error) {
	if _, isAlias := domain.Aliases[strings.ToLower(base.Local)]; !isAlias && domain.Recipients.Mode == "callout" {
		return nil, nil
	}
	final, err := d.exact(ctx, l, domain, base, depth)
	if err == nil && len(final) == 1 && final[0] == base && !domain.Store {
		final[0] = to
	}
	return final, err
}

// member follows one address of an alias. The alias itself among them keeps a
// copy, where it is a mailbox, too.
func (d *directory) member(ctx context.Context, l *live, alias, a mail.Address, depth int) ([]mail.Address, error) {
	if a.Key() != alias.Key() {
		return d.resolve(ctx, l, a, depth)
	}
	known, err := d.known(ctx, l.domains[a.Domain], a)
	if err != nil || !known {
		return nil, err
	}
	return []mail.Address{a}, nil
}

// postmaster sees to it that a domain's postmaster is never unknown (RFC 5321
// section 4.5.1): what has no mailbox of its own goes to the configured one.
func (d *directory) postmaster(ctx context.Context, l *live, to mail.Address, depth int) ([]mail.Address, error) {
	pm := l.settings.Postmaster
	if !strings.EqualFold(to.Local, "postmaster") || pm.Key() == to.Key() || depth >= maxAliasDepth {
		return nil, nil
	}
	return d.resolve(ctx, l, pm, depth+1)
}

func (d *directory) known(ctx context.Context, domain *policies.Domain, to mail.Address) (bool, error) {
	switch domain.Recipients.Mode {
	case "any":
		return true, nil
	case "list":
		if domain.Recipients.Known != nil && !domain.Recipients.Known() {
			return false, errors.New("the list of recipients of " + domain.Name + " was not read yet: is its source away?")
		}
		return domain.Recipients.List(to), nil
	case "callout":
		known, refusal, err := d.ask(ctx, d.by, to)
		if err == nil && !known && !refusal.IsZero() {
			return false, refusal
		}
		return known, err
	}
	_, err := d.book.Lookup(to)
	if errors.Is(err, accounts.ErrUnknown) {
		return false, nil
	}
	return err == nil, err
}

// identity is an account as one that logged in.
func (d *directory) identity(a accounts.Account) (mail.Identity, error) {
	main, err := mail.ParseAddress(a.Name, true)
	if err != nil {
		return mail.Identity{}, err
	}
	return mail.Identity{User: a.Name, Addresses: append([]mail.Address{main}, d.addresses(a, main)...)}, nil
}

// addresses are the further ones that an account may send from: its aliases,
// and the domains' aliases that lead to it alone.
func (d *directory) addresses(a accounts.Account, main mail.Address) []mail.Address {
	list := append([]mail.Address(nil), a.Aliases...)
	for _, domain := range d.live().domains {
		for local, to := range domain.Aliases {
			if local != "*" && len(to) == 1 && to[0].Key() == main.Key() {
				list = append(list, mail.Address{Local: local, Domain: domain.Name})
			}
		}
	}
	return list
}

func distinct(list []mail.Address) []mail.Address {
	seen := map[string]bool{}
	out := list[:0]
	for _, a := range list {
		if !seen[a.Key()] {
			seen[a.Key()] = true
			out = append(out, a)
		}
	}
	return out
}
