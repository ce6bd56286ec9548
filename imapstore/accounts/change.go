package accounts

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// maxName is in octets.
const maxName = 320

var errName = errors.New("accounts: an account's name is an address or a word of up to 320 octets without spaces and control characters")

// Add makes an account; password "" makes one that nobody can log in to.
// ErrExists if the name or an alias belongs to one already.
func (b *Book) Add(ctx context.Context, name, password string, quota int64, aliases ...mail.Address) error {
	if err := checkName(name); err != nil {
		return err
	}
	a := Account{Name: Normal(name), Aliases: aliases, Quota: quota}
	if err := a.setPassword(password); err != nil {
		return err
	}
	b.one.Lock()
	defer b.one.Unlock()
	b.mu.RLock()
	taken := b.find(a.Name)
	for _, alias := range aliases {
		if taken == nil {
			taken = b.find(alias.Key())
		}
	}
	b.mu.RUnlock()
	if taken != nil {
		return fmt.Errorf("%w: %s", ErrExists, taken.Name)
	}
	return b.keep(ctx, a)
}

func checkName(name string) error {
	bad := func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) }
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, bad) {
		return errName
	}
	return nil
}

func (a *Account) setPassword(password string) (err error) {
	a.Password, a.SCRAM = "", SCRAM{}
	if password != "" {
		a.Password, a.SCRAM, err = HashPassword(password)
	}
	return err
}

// SetPassword changes a password; "" takes it away.
func (b *Book) SetPassword(ctx context.Context, name, password string) error {
	return b.change(ctx, name, func(a *Account) error { return a.setPassword(password) })
}

// Disable closes an account to logins, or opens it again. Its mail is kept and
// taken.
func (b *Book) Disable(ctx context.Context, name string, disabled bool) error {
	return b.change(ctx, name, func(a *Account) error { a.Disabled = disabled; return nil })
}

// SetQuota changes the quota, in octets; 0 for none.
func (b *Book) SetQuota(ctx context.Context, name string, quota int64) error {
	return b.change(ctx, name, func(a *Account) error { a.Quota = quota; return nil })
}

// SetSending changes how much an account may send.
func (b *Book) SetSending(ctx context.Context, name string, s Sending) error {
	return b.change(ctx, name, func(a *Account) error { a.Sending = s; return nil })
}

// SetAliases replaces the further addresses.
func (b *Book) SetAliases(ctx context.Context, name string, aliases ...mail.Address) error {
	return b.change(ctx, name, func(a *Account) error {
		b.mu.RLock()
		defer b.mu.RUnlock()
		for _, alias := range aliases {
			if other := b.find(alias.Key()); other != nil && other.Name != a.Name {
				return fmt.Errorf("%w: %s belongs to %s", ErrExists, alias, other.Name)
			}
		}
		a.Aliases = aliases
		return nil
	})
}

// Remove forgets an account. Its mail is the store's.
func (b *Book) Remove(ctx context.Context, name string) error {
	b.one.Lock()
	defer b.one.Unlock()
	a, err := b.changeable(name)
	if err != nil {
		return err
	}
	var batch journal.Batch
	batch.Add(kindRemoved, encodeRemoved(a.Name))
	batch.Then(func() { b.forget(a.Name) })
	return b.j.Commit(context.WithoutCancel(ctx), &batch)
}

// change has f change a copy of an account of the journal, and keeps that.
func (b *Book) change(ctx context.Context, name string, f func(*Account) error) error {
	b.one.Lock()
	defer b.one.Unlock()
	a, err := b.changeable(name)
	if err != nil {
		return err
	}
	if err := f(&a); err != nil {
		return err
	}
	return b.keep(ctx, a)
}

// changeable finds an account that is not the configuration's.
func (b *Book) changeable(name string) (Account, error) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	a := b.find(Normal(name))
	switch {
	case a == nil:
		return Account{}, ErrUnknown
	case a.Config:
		return Account{}, ErrConfigured
	}
	return *a, nil
}

// keep makes an account durable and then known. Once it is on its way to the
// disk the caller's going away stops nothing.
func (b *Book) keep(ctx context.Context, a Account) error {
	var batch journal.Batch
	batch.Add(kindAccount, encodeAccount(&a))
	batch.Then(func() { b.know(a) })
	return b.j.Commit(context.WithoutCancel(ctx), &batch)
}

func (b *Book) know(a Account) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.kept[a.Name] = &a
	b.index()
}

func (b *Book) forget(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.kept, name)
	b.index()
}
