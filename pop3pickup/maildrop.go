package pop3pickup

import (
	"context"

	"github.com/forepost/forepost/imapstore"
)

// hidden marks a message that a client deleted and the policy keeps.
const hidden = "$POP3Deleted"

// maildrop is INBOX as it was at the login (RFC 1939 section 4): what comes
// later is for the next session.
type maildrop struct {
	m      imapstore.Mailbox
	unlock func()
	msgs   []*imapstore.Entry // message n is msgs[n-1]
	gone   []bool             // by DELE
	seen   []bool             // was fetched whole
	count  int                // not gone
	size   int64              // of those
}

// openMaildrop locks an account's maildrop; imapstore.ErrInUse.
func openMaildrop(a imapstore.Account) (*maildrop, error) {
	unlock, err := a.LockMaildrop()
	if err != nil {
		return nil, err
	}
	m, err := a.Mailbox(imapstore.Inbox)
	if err != nil {
		unlock()
		return nil, err
	}
	d := &maildrop{m: m, unlock: unlock}
	for _, e := range m.Snapshot().Messages {
		if !e.Has(hidden) {
			d.msgs = append(d.msgs, e)
			d.size += e.Size
		}
	}
	d.count = len(d.msgs)
	d.gone, d.seen = make([]bool, d.count), make([]bool, d.count)
	return d, nil
}

// get finds message n, unless it was deleted.
func (d *maildrop) get(n uint64) (*imapstore.Entry, bool) {
	if n < 1 || n > uint64(len(d.msgs)) || d.gone[n-1] {
		return nil, false
	}
	return d.msgs[n-1], true
}

// delete marks message n, which get has found.
func (d *maildrop) delete(n uint64) {
	d.gone[n-1] = true
	d.count--
	d.size -= d.msgs[n-1].Size
}

// reset takes all marks back.
func (d *maildrop) reset() {
	d.count, d.size = len(d.msgs), 0
	for i, e := range d.msgs {
		d.gone[i] = false
		d.size += e.Size
	}
}

// commit makes the deletions true, in one step, and returns how many there were.
func (d *maildrop) commit(ctx context.Context, how string, markSeen bool) (int, error) {
	var gone, seen []imapstore.UID
	for i, e := range d.msgs {
		switch {
		case d.gone[i]:
			gone = append(gone, e.UID)
		case d.seen[i] && markSeen && !e.Has(imapstore.Seen):
			seen = append(seen, e.UID)
		}
	}
	if len(seen) > 0 {
		if _, err := d.m.Store(ctx, seen, imapstore.FlagsAdd, []string{imapstore.Seen}, 0); err != nil {
			return 0, err
		}
	}
	if len(gone) == 0 {
		return 0, nil
	}
	if how == DeleteKeep {
		_, err := d.m.Store(ctx, gone, imapstore.FlagsAdd, []string{hidden, imapstore.Seen}, 0)
		return len(gone), err
	}
	return len(gone), d.m.Expunge(ctx, gone)
}
