// Package storetest is what every engine of the store must do, as tests.
package storetest

import (
	"context"
	"fmt"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/outbound"
)

// Engine is a store under test. Deliveries to an address go to the account of
// the same name.
type Engine struct {
	Store imapstore.Store
	// Reopen closes the store, as at the end of the program, and opens it again.
	Reopen func() imapstore.Store
	// Compact gives back space while the store is in use.
	Compact func()
}

// Run runs the suite; open makes an empty store for each of its tests.
func Run(t *testing.T, open func(t *testing.T) Engine) {
	tests := []struct {
		name string
		run  func(t *testing.T, e *Engine)
	}{
		{"accounts", testAccounts},
		{"octets come back", testOctets},
		{"append", testAppend},
		{"delivery", testDelivery},
		{"delivery to nobody", testDeliveryRefused},
		{"quarantine", testQuarantine},
		{"quota", testQuota},
		{"flags", testFlags},
		{"flags unchanged since", testUnchangedSince},
		{"expunge", testExpunge},
		{"copy and move", testCopyMove},
		{"snapshots do not change", testSnapshots},
		{"changed", testChanged},
		{"mailbox tree", testTree},
		{"deleting a parent", testDeleteParent},
		{"renaming INBOX", testRenameInbox},
		{"subscriptions", testSubscriptions},
		{"uidvalidity never comes again", testUIDValidity},
		{"maildrop lock", testMaildrop},
		{"restart", testRestart},
		{"restart after every change", testRestartModel},
		{"compaction", testCompaction},
		{"many writers", testConcurrent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			e := open(t)
			tt.run(t, &e)
		})
	}
}

func (e *Engine) reopen() { e.Store = e.Reopen() }

var day = time.Date(2026, 3, 4, 5, 6, 7, 0, time.FixedZone("", 2*3600))

// text is a message of its own.
func text(n int) mail.Bytes {
	return mail.Bytes(fmt.Sprintf("From: a@example.org\r\nSubject: %d\r\n\r\nbody of %d\r\n", n, n))
}

func message(b mail.Blob) *mail.Message { return &mail.Message{Blob: b} }

func (e *Engine) account(t *testing.T, name string) imapstore.Account {
	t.Helper()
	a, err := e.Store.Account(name)
	if err != nil {
		t.Fatalf("account %q: %v", name, err)
	}
	return a
}

// bob makes the account that most tests use.
func (e *Engine) bob(t *testing.T) imapstore.Account {
	t.Helper()
	if err := e.Store.Create(context.Background(), "bob@example.com", imapstore.AccountOptions{}); err != nil {
		t.Fatal(err)
	}
	return e.account(t, "bob@example.com")
}

func box(t *testing.T, a imapstore.Account, name string) imapstore.Mailbox {
	t.Helper()
	m, err := a.Mailbox(name)
	if err != nil {
		t.Fatalf("mailbox %q: %v", name, err)
	}
	return m
}

// fill appends n messages and returns their UIDs.
func fill(t *testing.T, m imapstore.Mailbox, n int, flags ...string) []imapstore.UID {
	t.Helper()
	var uids []imapstore.UID
	for i := range n {
		uid, err := m.Append(context.Background(), message(text(i)), flags, day)
		if err != nil {
			t.Fatal(err)
		}
		uids = append(uids, uid)
	}
	return uids
}

func uidsOf(s *imapstore.Snapshot) []imapstore.UID {
	uids := []imapstore.UID{}
	for _, e := range s.Messages {
		uids = append(uids, e.UID)
	}
	return uids
}

func wantUIDs(t *testing.T, m imapstore.Mailbox, want ...imapstore.UID) {
	t.Helper()
	if got := uidsOf(m.Snapshot()); !slices.Equal(got, want) {
		t.Fatalf("UIDs in %s are %v, want %v", m.Name(), got, want)
	}
}

func entry(t *testing.T, m imapstore.Mailbox, uid imapstore.UID) *imapstore.Entry {
	t.Helper()
	s := m.Snapshot()
	i, ok := s.Find(uid)
	if !ok {
		t.Fatalf("no message of UID %d in %s", uid, m.Name())
	}
	return s.Messages[i]
}

func octets(t *testing.T, m *mail.Message) string {
	t.Helper()
	r, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func names(a imapstore.Account) []string {
	var out []string
	for _, i := range a.Mailboxes() {
		n := i.Name
		if i.NoSelect {
			n += " (level)"
		}
		out = append(out, n)
	}
	return out
}

func deliver(e *Engine, m *mail.Message, to ...mail.Recipient) []error {
	return e.Store.Deliver(context.Background(), outbound.Delivery{
		ID: "test", From: mail.MustParseAddress("sender@example.org"), To: to, Message: m, Time: day,
	})
}

func rcpt(addr, folder string, tags ...string) mail.Recipient {
	return mail.Recipient{Address: mail.MustParseAddress(addr), Folder: folder, Tags: tags}
}

func delivery(from mail.Address, m *mail.Message, to ...mail.Recipient) outbound.Delivery {
	return outbound.Delivery{ID: "test", From: from, To: to, Message: m, Time: day}
}
