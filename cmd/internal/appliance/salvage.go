package appliance

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/queue"
)

// Journals are the directories of a data directory that are journals.
var Journals = []string{"mail", "state", "trail", "reports"}

// Salvaged is what was saved of a journal, and what the rooms found in the copy.
type Salvaged struct {
	journal.Salvaged
	To string // the copy
	// Of the mail journal: what the copy holds, and which of it has lost its octets.
	Queued   int
	Accounts int
	Hollow   []queue.Info // messages in the queue
	Mailbox  int          // messages in mailboxes, and whatever else held octets
	// Refused is why the rooms do not take the copy as it is.
	Refused error
}

// Salvage copies what can be read of a journal of a data directory that no gateway
// uses into a new directory beside it, and looks what the copy is good for.
func Salvage(ctx context.Context, dir, name, to string) (s Salvaged, err error) {
	s.To = filepath.Join(dir, to)
	if s.Salvaged, err = journal.Salvage(ctx, filepath.Join(dir, name), s.To, nil); err != nil || name != "mail" {
		return s, err
	}
	log, undo := slog.New(slog.DiscardHandler), cleanups{}
	k := &keep{}
	err = k.openMail(ctx, keepOptions{dir: dir, mail: to, now: time.Now, log: log, queue: queue.Options{
		IDs: mail.NewIDs("salvage", time.Now), Now: time.Now, Log: log,
	}}, &undo)
	if err != nil {
		s.Refused = err
		return s, undo.run(ctx, log)
	}
	s.Queued, s.Accounts, s.Hollow = k.queue.Stats().Entries, len(k.book.List()), k.queue.Hollow()
	s.Mailbox = max(0, len(k.journal.Missing())-len(s.Hollow))
	if err := undo.run(ctx, log); err != nil {
		return s, fmt.Errorf("closing the copy: %w", err)
	}
	return s, nil
}
