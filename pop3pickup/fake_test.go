package pop3pickup

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mail"
)

// The tests of time run in a bubble of testing/synctest, which a journal's
// goroutines cannot share with other tests: they have a maildrop in memory, with
// no more than POP3 asks for.

type memStore struct {
	imapstore.Store
	a *memAccount
}

func (s memStore) Account(string) (imapstore.Account, error) { return s.a, nil }

type memAccount struct {
	imapstore.Account
	locked atomic.Bool
	m      memBox
}

func (a *memAccount) Mailbox(string) (imapstore.Mailbox, error) { return &a.m, nil }

func (a *memAccount) LockMaildrop() (func(), error) {
	if !a.locked.CompareAndSwap(false, true) {
		return nil, imapstore.ErrInUse
	}
	return func() { a.locked.Store(false) }, nil
}

type memBox struct {
	imapstore.Mailbox
	s        imapstore.Snapshot
	expunged int
}

func (m *memBox) Snapshot() *imapstore.Snapshot { return &m.s }

func (m *memBox) Expunge(_ context.Context, uids []imapstore.UID) error {
	m.expunged += len(uids)
	return nil
}

// buildMem is build with one message in memory.
func buildMem(t testing.TB, c Config) (*house, *memAccount) {
	a := &memAccount{}
	body := mail.Bytes("one\r\n")
	a.m.s.Messages = []*imapstore.Entry{{UID: 1, Size: body.Size(), UIDL: "1", Message: &mail.Message{Blob: body}}}
	c.Hostname, c.Store, c.IDs = "mx.example.com", memStore{a: a}, mail.NewIDs("test", time.Now)
	c.Logins = people{"bob@example.com": "se sam"}.logins()
	h := &house{t: t, s: New(c)}
	t.Cleanup(func() { h.s.Close() })
	return h, a
}
