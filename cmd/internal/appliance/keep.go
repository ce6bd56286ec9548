package appliance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/accounts"
	"github.com/forepost/forepost/imapstore/vol"
	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/state"
	"github.com/forepost/forepost/relay/trail"
)

// keep is what lies in the data directory, and outlives every reload: the
// journal with the queue, the store and the accounts in it; the memory of
// limits and the greylist; the trail.
type keep struct {
	journal *journal.Journal
	store   *vol.Store
	book    *accounts.Book
	queue   *queue.Queue

	memory *journal.Journal
	local  *state.Embedded
	trail  *trail.Trail
}

// keepOptions are what the rooms in the data directory need from outside.
type keepOptions struct {
	dir   string
	mail  string        // the directory of the mail journal in it, if not "mail"
	queue queue.Options // Journal and Trail are filled in here
	now   func() time.Time
	log   *slog.Logger
}

// openKeep opens the data directory and replays its journals.
func openKeep(ctx context.Context, o keepOptions, cs *cleanups) (k *keep, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("data directory %s: %w%s", o.dir, err, dataAdvice(err))
		}
	}()
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return nil, err
	}
	k = &keep{}
	if k.trail, err = trail.Open(filepath.Join(o.dir, "trail"), trail.Options{Now: o.now, Log: o.log}); err != nil {
		return nil, err
	}
	cs.add("trail", func(context.Context) error { return k.trail.Close() })
	if err := k.openMemory(ctx, o, cs); err != nil {
		return nil, fmt.Errorf("memory of limits and greylist: %w", err)
	}
	return k, k.openMail(ctx, o, cs)
}

// dataAdvice is what to do about a data directory that cannot be used.
func dataAdvice(err error) string {
	switch {
	case errors.Is(err, syscall.EACCES):
		return "; let it belong to the user that the gateway runs as (chown -R), or name another with --data"
	case errors.Is(err, syscall.EROFS):
		return "; mount it for writing, or name another with --data"
	case errors.Is(err, syscall.ENOTDIR):
		return "; it must be a directory"
	}
	return ""
}

func (k *keep) openMemory(ctx context.Context, o keepOptions, cs *cleanups) (err error) {
	k.memory, err = journal.Open(filepath.Join(o.dir, "state"),
		journal.Options{NoSync: true, SegmentSize: 16 << 20, Now: o.now, Log: o.log})
	if err != nil {
		return err
	}
	cs.add("memory", func(context.Context) error { return errors.Join(k.local.Close(), k.memory.Close()) })
	k.local = state.NewEmbedded(k.memory, o.now)
	return k.memory.Recover(ctx)
}

// openMail opens the one journal that queue, store and accounts share, so that
// a message is written once however many rooms hold it.
func (k *keep) openMail(ctx context.Context, o keepOptions, cs *cleanups) (err error) {
	k.journal, err = journal.Open(filepath.Join(o.dir, cmp.Or(o.mail, "mail")), journal.Options{Now: o.now, Log: o.log})
	if err != nil {
		return fmt.Errorf("mail journal: %w", err)
	}
	cs.add("mail journal", func(context.Context) error { return k.journal.Close() })
	k.book = accounts.New(k.journal, accounts.Options{Now: o.now, Log: o.log})
	k.store = vol.New(k.journal, vol.Options{Lookup: k.accountOf, Now: o.now, Log: o.log})
	if o.queue.Journal = k.journal; k.trail != nil {
		o.queue.Trail = k.trail
	}
	k.queue = queue.New(o.queue)
	if err := k.journal.Recover(ctx); err != nil {
		return fmt.Errorf("mail journal: %w", err)
	}
	cs.add("store", func(context.Context) error { return k.store.Close() })
	return nil
}

// accountOf is the account that an address belongs to, in the store's words.
func (k *keep) accountOf(a mail.Address) (string, error) {
	acc, err := k.book.Lookup(a)
	if errors.Is(err, accounts.ErrUnknown) {
		return "", imapstore.ErrNoAccount
	}
	return acc.Name, err
}
