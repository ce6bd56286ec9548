package vol

import (
	"context"
	"slices"
	"strings"

	"github.com/forepost/forepost/imapstore"
)

// changeTree runs f over a change of the account's own, alone, and commits it.
func (a *account) changeTree(ctx context.Context, f func(c *change) error) error {
	return a.exclusive(func() error {
		c := a.change()
		if err := f(c); err != nil {
			return err
		}
		return c.commit(ctx)
	})
}

// CreateMailbox makes a mailbox and those above it (RFC 9051 section 6.3.4). A
// level that was left over by a deletion becomes a mailbox again, with a new
// UIDVALIDITY.
func (a *account) CreateMailbox(ctx context.Context, name, use string) error {
	name, err := imapstore.CleanName(name)
	if err != nil {
		return err
	}
	return a.changeTree(ctx, func(c *change) error {
		old := a.byName[name]
		if old != nil && !old.noselect {
			return imapstore.ErrExists
		}
		if old != nil {
			c.drop(old)
		}
		c.makeParents(name)
		c.make(name, use)
		return nil
	})
}

// makeParents makes the levels above a name where there are none.
func (c *change) makeParents(name string) {
	for _, up := range imapstore.Parents(name) {
		if c.a.byName[up] == nil {
			c.make(up, "")
		}
	}
}

// below are the mailboxes under a name, itself apart.
func (a *account) below(name string) []*mailbox {
	var ms []*mailbox
	for n, m := range a.byName {
		if strings.HasPrefix(n, name+"/") {
			ms = append(ms, m)
		}
	}
	slices.SortFunc(ms, func(x, y *mailbox) int { return strings.Compare(x.name, y.name) })
	return ms
}

// DeleteMailbox deletes a mailbox; one with others below it stays as a level of
// the hierarchy only (RFC 9051 section 6.3.5), and goes with the last of those.
// INBOX, and a mere level that others stand below, cannot be deleted: ErrName.
func (a *account) DeleteMailbox(ctx context.Context, name string) error {
	name, err := imapstore.CleanName(name)
	if err != nil {
		return imapstore.ErrNoMailbox
	}
	return a.changeTree(ctx, func(c *change) error {
		m := a.byName[name]
		switch {
		case m == nil:
			return imapstore.ErrNoMailbox
		case name == imapstore.Inbox, m.noselect && len(a.below(name)) > 0:
			return imapstore.ErrName
		}
		c.drop(m)
		if len(a.below(name)) > 0 {
			c.make(name, "").noselect = true
			return nil
		}
		c.dropLevels(m)
		return nil
	})
}

// dropLevels takes away the levels above m that held nothing else.
func (c *change) dropLevels(m *mailbox) {
	going := []*mailbox{m}
	ups := imapstore.Parents(m.name)
	for _, up := range slices.Backward(ups) {
		level := c.a.byName[up]
		if level == nil || !level.noselect || len(c.a.below(up)) > len(going) {
			return
		}
		c.drop(level)
		going = append(going, level)
	}
}

// RenameMailbox moves a mailbox and what is below it.
func (a *account) RenameMailbox(ctx context.Context, from, to string) error {
	from, err := imapstore.CleanName(from)
	if err != nil {
		return imapstore.ErrNoMailbox
	}
	if to, err = imapstore.CleanName(to); err != nil {
		return err
	}
	return a.changeTree(ctx, func(c *change) error {
		m := a.byName[from]
		switch {
		case m == nil:
			return imapstore.ErrNoMailbox
		case a.byName[to] != nil:
			return imapstore.ErrExists
		case strings.HasPrefix(to, from+"/") && from != imapstore.Inbox:
			return imapstore.ErrName // into itself
		}
		c.makeParents(to)
		if from == imapstore.Inbox {
			// RFC 9051 section 6.3.6: the messages move, INBOX and what is below it stays.
			c.transfer(m, c.make(to, ""), m.live, true)
			return nil
		}
		return c.renameTree(m, from, to)
	})
}

func (c *change) renameTree(m *mailbox, from, to string) error {
	c.rename(m, to, m.use, m.noselect)
	for _, b := range c.a.below(from) {
		name, err := imapstore.CleanName(to + strings.TrimPrefix(b.name, from))
		if err != nil {
			return err // too long now
		}
		c.rename(b, name, b.use, b.noselect)
	}
	return nil
}

// Subscribe keeps a name in the list of subscriptions or takes it off; it need
// not be there (RFC 9051 section 6.3.7).
func (a *account) Subscribe(ctx context.Context, name string, on bool) error {
	name, err := imapstore.CleanName(name)
	if err != nil {
		return err
	}
	return a.exclusive(func() error {
		c := a.change()
		c.subscribe(name, on)
		if c.acc == nil {
			return nil
		}
		return c.commit(ctx)
	})
}
