package vol

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/journal"
)

// firstMailboxes are what a new account has besides INBOX, with their special
// uses (RFC 6154 section 2).
var firstMailboxes = [...]struct{ name, use string }{
	{"Drafts", `\Drafts`}, {"Junk", `\Junk`}, {"Sent", `\Sent`}, {"Trash", `\Trash`},
}

// maxAccountName is in octets.
const maxAccountName = 320

// Create makes an account with INBOX and, unless it is a quarantine, the usual
// mailboxes. ErrExists if there is one of that name, in whatever case.
func (s *Store) Create(ctx context.Context, name string, o imapstore.AccountOptions) error {
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	return s.create(ctx, name, o)
}

func (s *Store) create(ctx context.Context, name string, o imapstore.AccountOptions) error {
	if name == "" || len(name) > maxAccountName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return imapstore.ErrName
	}
	name = strings.ToLower(name)
	s.creating.Lock()
	defer s.creating.Unlock()
	if _, err := s.account(name); err == nil {
		return imapstore.ErrExists
	}
	a := s.newAccount(name, o.Quota)
	var b journal.Batch
	b.Add(kindAccount, a.encode())
	for _, m := range a.boxes {
		b.Add(kindMailbox, m.encode())
	}
	b.Then(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.byName[name], s.byID[a.id] = a, a
	})
	return s.commit(ctx, &b)
}

// newAccount makes an account that nobody knows yet.
func (s *Store) newAccount(name string, quota int64) *account {
	s.mu.Lock()
	id := s.nextID
	s.nextID++
	// RFC 9051 section 2.3.1.1: a UIDVALIDITY never goes back, also when an account
	// is made anew under an old name; the time is only a seed.
	s.validity = max(s.validity+1, uint32(s.o.Now().Unix()))
	validity := s.validity
	s.mu.Unlock()

	a := blankAccount(s, id)
	a.name, a.quota, a.validity, a.modseq, a.ver = name, quota, validity, 1, 1
	a.put(a.newMailbox(imapstore.Inbox, "", a.modseq))
	if !strings.HasPrefix(name, imapstore.QuarantinePrefix) {
		for _, f := range firstMailboxes {
			a.put(a.newMailbox(f.name, f.use, a.modseq))
		}
	}
	for n := range a.byName {
		a.subs[n] = true
	}
	return a
}

// ensure is account, which makes it where it is missing.
func (s *Store) ensure(ctx context.Context, name string) (*account, error) {
	a, err := s.account(name)
	if err == nil {
		return a, nil
	}
	if err := s.create(ctx, name, imapstore.AccountOptions{}); err != nil && !errors.Is(err, imapstore.ErrExists) {
		return nil, err
	}
	return s.account(name)
}

// SetQuota changes the limit of an account; one that holds more already takes
// nothing until it holds less.
func (s *Store) SetQuota(ctx context.Context, name string, quota int64) error {
	a, err := s.account(name)
	if err != nil {
		return err
	}
	return a.exclusive(func() error {
		if a.quota == quota {
			return nil
		}
		c := a.change()
		c.account().quota = quota
		return c.commit(ctx)
	})
}

// Remove gives up an account and its mail.
func (s *Store) Remove(ctx context.Context, name string) error {
	a, err := s.account(name)
	if err != nil {
		return err
	}
	return a.exclusive(func() error {
		c := a.change()
		c.account().removed = true
		for _, m := range a.boxes {
			c.drop(m)
		}
		if err := c.commit(ctx); err != nil {
			return err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.byName, a.name)
		delete(s.byID, a.id)
		s.validity = max(s.validity, a.validity)
		return nil
	})
}
