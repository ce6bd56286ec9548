package appliance

import (
	"context"
	"errors"

	"github.com/forepost/forepost/imapstore/accounts"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/sasl"
)

// credentials is what accountLogins asks of the accounts.
type credentials interface {
	Authenticate(ctx context.Context, user, password string) (accounts.Account, error)
	SCRAM() bool
	Keys(ctx context.Context, user string) (accounts.SCRAM, error)
	Proved(user string, right bool) (accounts.Account, error)
}

// accountLogins lets the accounts log in. It implements sasl.Logins.
type accountLogins struct {
	book      credentials
	directory *directory
}

// SCRAM implements sasl.Logins.
func (l accountLogins) SCRAM() bool { return l.book.SCRAM() }

// Keys implements sasl.Logins.
func (l accountLogins) Keys(ctx context.Context, _ sasl.Client, user string) (sasl.Keys, error) {
	return l.book.Keys(ctx, user)
}

// Password implements sasl.Logins.
func (l accountLogins) Password(ctx context.Context, _ sasl.Client, user, password string) (mail.Identity, error) {
	a, err := l.book.Authenticate(ctx, user, password)
	return l.identity(a, err)
}

// Proved implements sasl.Logins.
func (l accountLogins) Proved(_ context.Context, _ sasl.Client, user string, right bool) (mail.Identity, error) {
	a, err := l.book.Proved(user, right)
	return l.identity(a, err)
}

func (l accountLogins) identity(a accounts.Account, err error) (mail.Identity, error) {
	if errors.Is(err, accounts.ErrCredentials) {
		return mail.Identity{}, sasl.ErrCredentials
	}
	if err != nil {
		return mail.Identity{}, err
	}
	return l.directory.identity(a)
}
