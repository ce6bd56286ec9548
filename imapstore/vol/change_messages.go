package vol

import (
	"context"
	"math"
	"slices"

	"github.com/forepost/forepost/imapstore"
)

// changeOf runs f over a change of the account of m, alone, and commits it
// where f found something to do.
func (m *mailbox) changeOf(ctx context.Context, f func(c *change) (bool, error)) error {
	return m.a.exclusive(func() error {
		if m.dead || m.noselect {
			return imapstore.ErrNoMailbox
		}
		c := m.a.change()
		some, err := f(c)
		if err != nil || !some {
			return err
		}
		return c.commit(ctx)
	})
}

// picked are the entries of those UIDs that are there, in order.
func (m *mailbox) picked(uids []imapstore.UID) []*imapstore.Entry {
	uids = slices.Clone(uids)
	slices.Sort(uids)
	var es []*imapstore.Entry
	for _, u := range slices.Compact(uids) {
		if i, ok := m.find(u); ok {
			es = append(es, m.live[i])
		}
	}
	return es
}

// Store changes flags. All messages that change get one mod-sequence; one whose
// flags are so already keeps its own (RFC 7162 section 3.1.3).
func (m *mailbox) Store(ctx context.Context, uids []imapstore.UID, op imapstore.FlagOp, flags []string, unchangedSince uint64) (modified []imapstore.UID, err error) {
	err = m.changeOf(ctx, func(c *change) (bool, error) {
		m.a.mu.Lock()
		with := m.firstSeen(cleanFlags(flags))
		m.a.mu.Unlock()
		for _, e := range m.picked(uids) {
			if unchangedSince > 0 && e.ModSeq > unchangedSince {
				modified = append(modified, e.UID)
				continue
			}
			if next := applyFlags(e.Flags, op, with); !slices.Equal(next, e.Flags) {
				c.update(m, e, next)
			}
		}
		return len(c.updated) > 0, nil
	})
	return modified, err
}

// Expunge removes messages, whatever their flags.
func (m *mailbox) Expunge(ctx context.Context, uids []imapstore.UID) error {
	return m.changeOf(ctx, func(c *change) (bool, error) {
		for _, e := range m.picked(uids) {
			c.expunge(m, e.UID)
		}
		return len(c.gone) > 0, nil
	})
}

// Copy adds messages to another mailbox of the account.
func (m *mailbox) Copy(ctx context.Context, uids []imapstore.UID, to string) (imapstore.Copied, error) {
	return m.copy(ctx, uids, to, false)
}

// Move is Copy and Expunge in one step (RFC 6851).
func (m *mailbox) Move(ctx context.Context, uids []imapstore.UID, to string) (imapstore.Copied, error) {
	return m.copy(ctx, uids, to, true)
}

func (m *mailbox) copy(ctx context.Context, uids []imapstore.UID, to string, move bool) (done imapstore.Copied, err error) {
	err = m.changeOf(ctx, func(c *change) (bool, error) {
		dest, err := m.a.mailbox(to)
		if err != nil {
			return false, err
		}
		es := m.picked(uids)
		if !move && m.a.tooMuch(es) {
			return false, imapstore.ErrQuota
		}
		if uint64(dest.tipUID)+uint64(len(es)) > math.MaxUint32 {
			return false, errNoUIDs
		}
		done = c.transfer(m, dest, es, move)
		return len(es) > 0, nil
	})
	if err != nil {
		return imapstore.Copied{}, err
	}
	return done, nil
}

// transfer puts entries of m into dest, and takes them out of m in a move.
func (c *change) transfer(m, dest *mailbox, es []*imapstore.Entry, move bool) imapstore.Copied {
	done := imapstore.Copied{UIDValidity: dest.validity}
	for _, e := range es {
		done.From = append(done.From, e.UID)
		done.To = append(done.To, c.add(dest, e))
		if move {
			c.expunge(m, e.UID)
		}
	}
	return done
}

// tooMuch tells whether copies of the entries would go over the quota.
func (a *account) tooMuch(es []*imapstore.Entry) bool {
	var size int64
	for _, e := range es {
		size += e.Size
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return size > 0 && a.over(size)
}
