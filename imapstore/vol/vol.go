// Package vol is the embedded engine of the store: mailboxes in memory, every
// change a record in the journal first.
package vol

import (
	"context"
	"errors"
	"log/slog"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
)

// Options of New. Lookup is needed for deliveries; the rest has defaults.
type Options struct {
	// Lookup finds the name of the account that a recipient's address belongs to;
	// imapstore.ErrNoAccount where there is none, any other error is could-not-tell
	// and defers. An account that Lookup knows and the store does not is made by its
	// first delivery. Quarantine addresses are not asked for.
	Lookup func(mail.Address) (account string, err error)
	Now    func() time.Time
	Log    *slog.Logger
	// Tombstones is how many expunged messages a mailbox remembers for QRESYNC;
	// default 20,000.
	Tombstones int
}

// ErrClosed is what a store says after Close.
var ErrClosed = errors.New("vol: the store is closed")

// Store is the engine. It is made before the journal recovers and used after.
type Store struct {
	j *journal.Journal
	o Options

	settled sync.Once
	life    sync.Mutex
	closed  bool           // under life
	work    sync.WaitGroup // what is under way

	mu       sync.RWMutex
	byName   map[string]*account
	byID     map[uint64]*account
	nextID   uint64
	validity uint32 // the highest UIDVALIDITY that was given
	creating sync.Mutex
}

var _ imapstore.Store = (*Store)(nil)

// New makes a store over j and takes its kinds of records. j.Recover comes
// next; only then may the store be used.
func New(j *journal.Journal, o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Tombstones <= 0 {
		o.Tombstones = 20_000
	}
	if o.Lookup == nil {
		o.Lookup = func(a mail.Address) (string, error) { return a.Key(), nil }
	}
	s := &Store{j: j, o: o, nextID: 1, byName: map[string]*account{}, byID: map[uint64]*account{}}
	j.Register(s, kindAccount, kindMailbox, kindMessage, kindFlags, kindExpunge)
	return s
}

// enter begins a piece of work; leave ends it.
func (s *Store) enter() (leave func(), err error) {
	s.settled.Do(s.settle)
	s.life.Lock()
	defer s.life.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	s.work.Add(1)
	return s.work.Done, nil
}

// Close waits for what is under way and refuses what comes later.
func (s *Store) Close() error {
	s.life.Lock()
	s.closed = true
	s.life.Unlock()
	s.work.Wait()
	return nil
}

// Account finds an account; imapstore.ErrNoAccount.
func (s *Store) Account(name string) (imapstore.Account, error) {
	a, err := s.account(name)
	if err != nil {
		return nil, err
	}
	return a, nil
}

func (s *Store) account(name string) (*account, error) {
	s.settled.Do(s.settle)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if a := s.byName[strings.ToLower(name)]; a != nil {
		return a, nil
	}
	return nil, imapstore.ErrNoAccount
}

// Names are the accounts' names in order.
func (s *Store) Names() []string {
	s.settled.Do(s.settle)
	s.mu.RLock()
	defer s.mu.RUnlock()
	names := make([]string, 0, len(s.byName))
	for n := range s.byName {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// commit is the journal's Commit, which a caller that goes away does not cut
// short: what is on the disk and what is in memory must be the same.
func (s *Store) commit(ctx context.Context, b *journal.Batch) error {
	return s.j.Commit(context.WithoutCancel(ctx), b)
}
