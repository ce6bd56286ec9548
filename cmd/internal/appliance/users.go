package appliance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/accounts"
	"github.com/forepost/forepost/relay/mail"
)

// users are the accounts of a data directory: of a running gateway, or of one
// that is opened for a command.
type users struct{ k *keep }

// Users lists the accounts.
func (u users) Users() []admin.User {
	var list []admin.User
	for _, a := range u.k.book.List() {
		list = append(list, userOf(a))
	}
	return list
}

func userOf(a accounts.Account) admin.User {
	one := admin.User{Name: a.Name, Quota: a.Quota, Disabled: a.Disabled, Config: a.Config}
	for _, al := range a.Aliases {
		one.Aliases = append(one.Aliases, al.String())
	}
	return one
}

// User is all that is known of an account, found by its name or an alias.
func (u users) User(_ context.Context, name string) (d admin.UserDetail, err error) {
	address, err := mail.ParseAddress(name, true)
	if err != nil {
		return d, fmt.Errorf("%q is no mail address: %w", name, err)
	}
	a, err := u.k.book.Lookup(address)
	if err != nil {
		return d, fmt.Errorf("%s: %w", name, err)
	}
	d = admin.UserDetail{User: userOf(a), Login: "scram"}
	switch {
	case a.Password == "":
		d.Login = "none"
	case len(a.SCRAM.StoredKey) == 0:
		d.Login = "password"
	}
	box, err := u.k.store.Account(a.Name)
	if errors.Is(err, imapstore.ErrNoAccount) { // made in the configuration, and no gateway has run since
		return d, nil
	}
	if err != nil {
		return d, err
	}
	d.Bytes, d.Messages, d.Quota = box.Usage()
	d.Mailboxes, err = mailboxesOf(box)
	return d, err
}

func mailboxesOf(box imapstore.Account) (list []admin.UserMailbox, err error) {
	for _, i := range box.Mailboxes() {
		if i.NoSelect {
			continue
		}
		m, err := box.Mailbox(i.Name)
		if errors.Is(err, imapstore.ErrNoMailbox) { // it has gone meanwhile
			continue
		}
		if err != nil {
			return list, err
		}
		one := admin.UserMailbox{Name: i.Name}
		for _, e := range m.Snapshot().Messages {
			one.Messages++
			if !slices.Contains(e.Flags, "\\Seen") {
				one.Unseen++
			}
		}
		list = append(list, one)
	}
	return list, nil
}

// AddUser makes an account with its mailboxes.
func (u users) AddUser(ctx context.Context, n admin.NewUser) error {
	name, err := mail.ParseAddress(strings.ToLower(n.Name), true)
	if err != nil || name.IsNull() {
		return fmt.Errorf("%q cannot be an account: its name is its main address, like bob@example.com", n.Name)
	}
	var aliases []mail.Address
	for _, s := range n.Aliases {
		a, err := mail.ParseAddress(s, true)
		if err != nil || a.IsNull() {
			return fmt.Errorf("alias %q: %w", s, mail.ErrAddressSyntax)
		}
		aliases = append(aliases, a)
	}
	if err := u.k.book.Add(ctx, name.String(), n.Password, n.Quota, aliases...); err != nil {
		return err
	}
	err = u.k.store.Create(ctx, name.String(), imapstore.AccountOptions{Quota: n.Quota})
	if errors.Is(err, imapstore.ErrExists) { // it was removed and comes back: so does its mail
		return nil
	}
	return err
}

// SetPassword changes a password.
func (u users) SetPassword(ctx context.Context, name, password string) error {
	return u.k.book.SetPassword(ctx, strings.ToLower(name), password)
}

// DisableUser stops an account from logging in, or lets it again.
func (u users) DisableUser(ctx context.Context, name string, disabled bool) error {
	return u.k.book.Disable(ctx, strings.ToLower(name), disabled)
}

// RemoveUser removes an account; its mail stays in the store.
func (u users) RemoveUser(ctx context.Context, name string) error {
	return u.k.book.Remove(ctx, strings.ToLower(name))
}
