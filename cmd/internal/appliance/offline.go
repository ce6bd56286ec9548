package appliance

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
)

// Offline is the accounts of a data directory that no gateway uses.
type Offline struct {
	users users
	undo  cleanups
	log   *slog.Logger
}

// OpenOffline opens a data directory. It fails while a gateway runs in it, and
// where there is none yet: making one is left to the gateway's own user.
func OpenOffline(ctx context.Context, dir string) (*Offline, error) {
	if _, err := os.Stat(filepath.Join(dir, "mail")); err != nil {
		return nil, fmt.Errorf("%s is no data directory of Forepost: %w", dir, err)
	}
	o := &Offline{log: slog.New(slog.DiscardHandler)}
	k, err := openKeep(ctx, keepOptions{dir: dir, now: time.Now, log: o.log, queue: queue.Options{
		IDs: mail.NewIDs("offline", time.Now), Now: time.Now, Log: o.log,
	}}, &o.undo)
	if err != nil {
		o.undo.run(ctx, o.log) // the first error is the one to tell
		return nil, err
	}
	o.users = users{k}
	return o, nil
}

// Close closes the data directory.
func (o *Offline) Close() error { return o.undo.run(context.Background(), o.log) }

// The accounts, as a running gateway would answer.

// Users lists them.
func (o *Offline) Users(context.Context) ([]admin.User, error) { return o.users.Users(), nil }

// User is all that is known of one.
func (o *Offline) User(ctx context.Context, name string) (admin.UserDetail, error) {
	return o.users.User(ctx, name)
}

// AddUser makes one.
func (o *Offline) AddUser(ctx context.Context, n admin.NewUser) error { return o.users.AddUser(ctx, n) }

// SetPassword changes a password.
func (o *Offline) SetPassword(ctx context.Context, name, password string) error {
	return o.users.SetPassword(ctx, name, password)
}

// DisableUser stops an account from logging in, or lets it again.
func (o *Offline) DisableUser(ctx context.Context, name string, disabled bool) error {
	return o.users.DisableUser(ctx, name, disabled)
}

// LimitUser changes how much one may send.
func (o *Offline) LimitUser(ctx context.Context, name string, l admin.UserLimit) error {
	return o.users.LimitUser(ctx, name, l)
}

// RemoveUser removes one; its mail stays.
func (o *Offline) RemoveUser(ctx context.Context, name string) error {
	return o.users.RemoveUser(ctx, name)
}
