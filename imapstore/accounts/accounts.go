// Package accounts knows who has a mailbox: names, addresses and passwords.
package accounts

import (
	"context"
	"errors"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/sasl"
)

// Errors that callers tell apart.
var (
	ErrCredentials = errors.New("accounts: wrong name or password")
	ErrExists      = errors.New("accounts: there is an account of that name already")
	ErrUnknown     = errors.New("accounts: no such account")
)

// Account is one account.
type Account struct {
	Name     string         // its main address, in lower case
	Aliases  []mail.Address // further addresses
	Password string         // "$argon2id$...", "" for none: nobody can log in (for Book.Configure also a plain one)
	SCRAM    SCRAM          // SCRAM-SHA-256 keys (RFC 5803) made with the password
	Quota    int64          // octets, 0 for none
	Sending  Sending        // how much it may send
	Disabled bool
	Config   bool // stands in the configuration, not in the journal
}

// Sending is how much an account may send in a time.
type Sending struct {
	Messages, Recipients, Bytes Rate
}

// Rate is so many in a time. A Max of 0 is what is usual, one below no limit.
type Rate struct {
	Max int64
	Per time.Duration
}

// SCRAM is what a server keeps for SCRAM-SHA-256 (RFC 5802 section 3).
type SCRAM = sasl.Keys

// Directory is the accounts of the journal and of the configuration together.
type Directory interface {
	// Authenticate checks a name (the main address, or an alias) and a password. It
	// takes the same time whether the name is known or not.
	Authenticate(ctx context.Context, user, password string) (Account, error)
	// Lookup finds the account that an address belongs to; ErrUnknown.
	Lookup(a mail.Address) (Account, error)
	List() []Account
	Add(ctx context.Context, name, password string, quota int64, aliases ...mail.Address) error
	SetPassword(ctx context.Context, name, password string) error
	Disable(ctx context.Context, name string, disabled bool) error
	Remove(ctx context.Context, name string) error
}
