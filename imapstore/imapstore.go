// Package imapstore is the receiver store: the accounts' mailboxes, as IMAP
// (RFC 9051) and POP3 (RFC 1939) see them. The contract below has one engine
// today, the embedded one in vol; nothing above may know which one it is.
package imapstore

import (
	"context"
	"errors"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/outbound"
)

// Errors that callers tell apart.
var (
	ErrNoAccount = errors.New("imapstore: no such account")
	ErrNoMailbox = errors.New("imapstore: no such mailbox")
	ErrExists    = errors.New("imapstore: the mailbox exists already")
	ErrName      = errors.New("imapstore: not a mailbox name that can be used")
	ErrQuota     = errors.New("imapstore: over quota")
	ErrGone      = errors.New("imapstore: the message is gone")
	ErrInUse     = errors.New("imapstore: the maildrop is in use by another session") // POP3
)

// Store holds all accounts' mail.
type Store interface {
	outbound.Store
	// Account opens an account by its name ("bob@example.com", or a reserved
	// "quarantine/spam"). A known account has at least INBOX.
	Account(name string) (Account, error)
	// Create makes an account; ErrExists if there is one.
	Create(ctx context.Context, name string, o AccountOptions) error
	// SetQuota changes an account's limit in octets, 0 for none; ErrNoAccount.
	SetQuota(ctx context.Context, name string, quota int64) error
	// Remove gives up an account with all its mail, for good; ErrNoAccount.
	Remove(ctx context.Context, name string) error
	// Names are the accounts' names in order.
	Names() []string
	// Close waits for what is under way; the journal is its owner's to close.
	Close() error
}

// AccountOptions of Create.
type AccountOptions struct {
	Quota int64 // octets; 0: none
}

// Account is one account's mailboxes. Names of mailboxes are UTF-8 with "/"
// between levels; INBOX in any case is INBOX.
type Account interface {
	Name() string
	// Mailboxes lists them in order of names: all, those with \Noselect too.
	Mailboxes() []Info
	Mailbox(name string) (Mailbox, error)
	// CreateMailbox makes it and the levels above it. use is a special use
	// ("\\Sent", RFC 6154) or "".
	CreateMailbox(ctx context.Context, name, use string) error
	DeleteMailbox(ctx context.Context, name string) error
	// RenameMailbox moves it and what is below it; of INBOX it moves the messages
	// (RFC 9051 section 6.3.6).
	RenameMailbox(ctx context.Context, from, to string) error
	Subscribe(ctx context.Context, name string, on bool) error
	Subscriptions() []string
	// Usage is what it holds; a limit of 0 means none.
	Usage() (bytes, messages, limit int64)
	// LockMaildrop gives POP3 its exclusive access (RFC 1939 section 4) until
	// unlock, or ErrInUse.
	LockMaildrop() (unlock func(), err error)
}

// Info describes a mailbox in a list.
type Info struct {
	Name        string
	ID          string // MAILBOXID of RFC 8474: kept over renames, never used again
	Use         string // "\\Sent", ... or ""
	NoSelect    bool   // only a level of the hierarchy
	HasChildren bool
	Subscribed  bool
}

// Mailbox is one mailbox. Changes are durable when they return.
type Mailbox interface {
	Name() string
	// Snapshot is the mailbox as it is now: immutable, cheap, shared.
	Snapshot() *Snapshot
	// Changed is closed at the next change after the snapshot was taken.
	Changed(s *Snapshot) <-chan struct{}

	// Append adds a message and returns its UID.
	Append(ctx context.Context, m *mail.Message, flags []string, date time.Time) (UID, error)
	// Store changes flags of messages (by UID; unknown ones are passed over). With
	// unchangedSince > 0 those with a higher mod-sequence are left and returned
	// (RFC 7162 section 3.1.3).
	Store(ctx context.Context, uids []UID, op FlagOp, flags []string, unchangedSince uint64) (modified []UID, err error)
	// Expunge removes messages for good.
	Expunge(ctx context.Context, uids []UID) error
	// Copy adds the messages to another mailbox of the same account in one step and
	// returns the pairs, in order; Move removes them here in the same step.
	Copy(ctx context.Context, uids []UID, to string) (Copied, error)
	Move(ctx context.Context, uids []UID, to string) (Copied, error)
}

// UID is a message's unique identifier (RFC 9051 section 2.3.1.1).
type UID uint32

// Copied is the answer of Copy and Move, as COPYUID tells it (RFC 9051 section 7.1).
type Copied struct {
	UIDValidity uint32
	From, To    []UID
}

// FlagOp is how Store changes flags.
type FlagOp uint8

// The ways of STORE.
const (
	FlagsReplace FlagOp = iota
	FlagsAdd
	FlagsRemove
)

// Snapshot is a mailbox at a moment. Messages are in order of UIDs; the
// sequence number of Messages[i] is i+1. Nothing in it may be changed.
type Snapshot struct {
	UIDValidity   uint32
	UIDNext       UID
	HighestModSeq uint64
	Messages      []*Entry
	// Expunged are the UIDs that went, with the mod-sequence of their going, in its
	// order, as far back as is known (RFC 7162 section 3.2.10): all whose
	// mod-sequence is above ExpungedAbove.
	Expunged      []Tombstone
	ExpungedAbove uint64
}

// Tombstone tells of an expunged message.
type Tombstone struct {
	UID    UID
	ModSeq uint64
}

// Entry is one message of a mailbox.
type Entry struct {
	UID      UID
	ModSeq   uint64
	Flags    []string // sorted; system flags as RFC 9051 writes them ("\\Seen"), keywords as first seen
	Date     time.Time
	Size     int64  // octets, with CRLF
	UIDL     string // POP3 unique-id, at most 70 octets, never used again
	EmailID  string // one for all copies of a message (RFC 8474)
	Message  *mail.Message
	SaveDate time.Time
}
