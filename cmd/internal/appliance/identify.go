package appliance

import (
	"context"
	"errors"

	"github.com/forepost/forepost/imapstore/accounts"
	"github.com/forepost/forepost/relay/inbound"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/sasl"
)

var _ inbound.Identifier = (*directory)(nil)

// Identify finds a user whom a server in front of us authenticated
// (inbound.Identifier).
func (d *directory) Identify(_ context.Context, user string) (mail.Identity, error) {
	main, err := mail.ParseAddress(user, true)
	if err != nil {
		return mail.Identity{}, sasl.ErrCredentials
	}
	a, err := d.book.Lookup(main)
	if errors.Is(err, accounts.ErrUnknown) || err == nil && a.Disabled {
		return mail.Identity{}, sasl.ErrCredentials
	}
	if err != nil {
		return mail.Identity{}, err
	}
	return d.identity(a)
}
