package vol

import (
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/forepost/forepost/imapstore"
)

// account is one account in memory. Two locks keep it:
//
//   - gate: those who only add messages hold it shared, from the moment they
//     take a UID until the message is to be seen, so that many deliveries share
//     one sync of the disk. Every other change holds it alone over its commit,
//     and so works on a state that stands still.
//   - mu is short, over memory only, and never held while the journal works.
type account struct {
	s    *Store
	id   uint64
	gate sync.RWMutex
	pop3 atomic.Bool // the maildrop is locked

	mu       sync.Mutex
	name     string
	quota    int64
	removed  bool
	ver      uint64 // the mod-sequence of the last change of the account itself
	modseq   uint64 // the last one given, over all mailboxes
	validity uint32 // the last UIDVALIDITY given
	nextBox  uint64
	boxes    map[uint64]*mailbox
	byName   map[string]*mailbox
	subs     map[string]bool
	goneBox  idset // only while the journal replays
	bytes    int64 // with what is on its way to the disk
	messages int64
}

var _ imapstore.Account = (*account)(nil)

func blankAccount(s *Store, id uint64) *account {
	return &account{s: s, id: id, nextBox: 1, boxes: map[uint64]*mailbox{}, byName: map[string]*mailbox{}, subs: map[string]bool{}}
}

// newMailbox takes an ID and a UIDVALIDITY for a mailbox; put adds it.
func (a *account) newMailbox(name, use string, modseq uint64) *mailbox {
	m := &mailbox{a: a, id: a.nextBox, name: name, use: use, ver: modseq, highest: modseq,
		validity: a.validity, tipUID: 1, nextUID: 1}
	a.nextBox++
	a.validity++
	return m
}

func (a *account) put(m *mailbox) {
	a.boxes[m.id], a.byName[m.name] = m, m
}

// exclusive runs f while nothing else changes the account.
func (a *account) exclusive(f func() error) error {
	leave, err := a.s.enter()
	if err != nil {
		return err
	}
	defer leave()
	a.gate.Lock()
	defer a.gate.Unlock()
	if a.removed {
		return imapstore.ErrNoAccount
	}
	return f()
}

// Name is the account's name.
func (a *account) Name() string { return a.name }

// Mailboxes lists the mailboxes in order of their names, INBOX first.
func (a *account) Mailboxes() []imapstore.Info {
	a.mu.Lock()
	defer a.mu.Unlock()
	infos := make([]imapstore.Info, 0, len(a.byName))
	for name, m := range a.byName {
		infos = append(infos, imapstore.Info{Name: name, ID: m.objectID(), Use: m.use, NoSelect: m.noselect, Subscribed: a.subs[name]})
	}
	sort.Slice(infos, func(i, k int) bool { return nameLess(infos[i].Name, infos[k].Name) })
	for i := range infos {
		infos[i].HasChildren = i+1 < len(infos) && strings.HasPrefix(infos[i+1].Name, infos[i].Name+"/")
	}
	return infos
}

// nameLess puts a mailbox right before what is below it, and INBOX first.
func nameLess(a, b string) bool { return sortKey(a) < sortKey(b) }

func sortKey(name string) string {
	key := strings.ReplaceAll(name, "/", "\x00")
	if name == imapstore.Inbox || strings.HasPrefix(name, imapstore.Inbox+"/") {
		return "\x00" + key
	}
	return key
}

// Mailbox finds a mailbox that can be selected.
func (a *account) Mailbox(name string) (imapstore.Mailbox, error) {
	m, err := a.mailbox(name)
	if err != nil {
		return nil, err
	}
	return m, nil
}

func (a *account) mailbox(name string) (*mailbox, error) {
	name, err := imapstore.CleanName(name)
	if err != nil {
		return nil, imapstore.ErrNoMailbox
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if m := a.byName[name]; m != nil && !m.noselect {
		return m, nil
	}
	return nil, imapstore.ErrNoMailbox
}

// Subscriptions are the names subscribed to, also of mailboxes that are not
// there (RFC 9051 section 6.3.7).
func (a *account) Subscriptions() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	names := make([]string, 0, len(a.subs))
	for n := range a.subs {
		names = append(names, n)
	}
	sort.Slice(names, func(i, k int) bool { return nameLess(names[i], names[k]) })
	return names
}

// Usage counts what the account holds and what is on its way into it.
func (a *account) Usage() (bytes, messages, limit int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.bytes, a.messages, a.quota
}

// LockMaildrop gives POP3 the maildrop (RFC 1939 section 4). IMAP goes on
// working on the mailbox; what it expunges is gone for the POP3 session too.
func (a *account) LockMaildrop() (unlock func(), err error) {
	if !a.pop3.CompareAndSwap(false, true) {
		return nil, imapstore.ErrInUse
	}
	var once sync.Once
	return func() { once.Do(func() { a.pop3.Store(false) }) }, nil
}

// over tells whether size more octets are too many. The caller holds mu.
func (a *account) over(size int64) bool {
	return a.quota > 0 && a.bytes+size > a.quota
}

func (m *mailbox) objectID() string {
	return "F" + strconv.FormatUint(m.a.id, 36) + "-" + strconv.FormatUint(m.id, 36)
}
