package vol

import (
	"cmp"
	"fmt"
	"slices"
	"weak"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/journal"
)

// mailbox is one mailbox in memory. Everything but a and id is under a.mu.
//
// live is shared with the snapshots that were given out: each of them keeps its
// own end, so adding a message costs nothing, and only the first change of
// another sort after a snapshot copies the list. Many changes with nobody
// looking cost one copy.
type mailbox struct {
	a  *account
	id uint64

	name, use string
	noselect  bool
	dead      bool
	ver       uint64 // the mod-sequence of the last change of name, use or kind
	validity  uint32
	tipUID    imapstore.UID // the next to give
	nextUID   imapstore.UID // the same for those who look: all below is settled
	highest   uint64
	live      []*imapstore.Entry
	shared    bool
	tombs     []imapstore.Tombstone
	floor     uint64 // all tombstones above this mod-sequence are known
	pending   []*ticket
	keywords  map[string]string // lower case to as first seen

	cur  *imapstore.Snapshot // as long as it is true
	wait chan struct{}

	replay *replayed // only while the journal replays

	said     uint64 // up to this mod-sequence compaction has written the tombstones again
	saying   weak.Pointer[journal.Batch]
	sayingAt uint64 // the same for the batch that is being filled
}

var _ imapstore.Mailbox = (*mailbox)(nil)

// Name is the name it has now.
func (m *mailbox) Name() string {
	m.a.mu.Lock()
	defer m.a.mu.Unlock()
	return m.name
}

// Snapshot costs nothing while the mailbox has not changed. Of a mailbox that
// was deleted it is one in which every message is gone.
func (m *mailbox) Snapshot() *imapstore.Snapshot {
	m.a.mu.Lock()
	defer m.a.mu.Unlock()
	return m.snapshot()
}

func (m *mailbox) snapshot() *imapstore.Snapshot {
	if m.cur == nil {
		m.shared = true
		m.cur = &imapstore.Snapshot{
			UIDValidity: m.validity, UIDNext: m.nextUID, HighestModSeq: m.highest,
			Messages: m.live[:len(m.live):len(m.live)],
			Expunged: m.tombs[:len(m.tombs):len(m.tombs)], ExpungedAbove: m.floor,
		}
	}
	return m.cur
}

var closedChan = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

// Changed is closed when s is not how the mailbox is any more.
func (m *mailbox) Changed(s *imapstore.Snapshot) <-chan struct{} {
	m.a.mu.Lock()
	defer m.a.mu.Unlock()
	if m.cur != s {
		return closedChan
	}
	if m.wait == nil {
		m.wait = make(chan struct{})
	}
	return m.wait
}

// touch tells everybody that the mailbox has changed.
func (m *mailbox) touch(modseq uint64) {
	m.highest = max(m.highest, modseq)
	m.cur = nil
	if m.wait != nil {
		close(m.wait)
		m.wait = nil
	}
}

// own makes live ours to change in place.
func (m *mailbox) own() {
	if m.shared {
		m.live, m.shared = slices.Clone(m.live), false
	}
}

func (m *mailbox) find(uid imapstore.UID) (int, bool) {
	return slices.BinarySearchFunc(m.live, uid, func(e *imapstore.Entry, u imapstore.UID) int { return cmp.Compare(e.UID, u) })
}

// publish adds the newest message to what is seen.
func (m *mailbox) publish(e *imapstore.Entry) {
	m.live = append(m.live, e)
	m.nextUID = e.UID + 1
	m.touch(e.ModSeq)
}

// replace puts e in the place of the entry of its UID.
func (m *mailbox) replace(e *imapstore.Entry) {
	i, ok := m.find(e.UID)
	if !ok {
		return
	}
	m.own()
	m.live[i] = e
	m.touch(e.ModSeq)
}

// remove takes messages out and returns their blobs. uids are in order.
func (m *mailbox) remove(uids []imapstore.UID, modseq uint64) (blobs []journal.BlobID) {
	keep := make([]*imapstore.Entry, 0, len(m.live)-len(uids))
	for _, e := range m.live {
		if _, gone := slices.BinarySearch(uids, e.UID); !gone {
			keep = append(keep, e)
			continue
		}
		blobs = append(blobs, blobID(e))
		m.a.bytes -= e.Size
		m.a.messages--
		m.tombs = append(m.tombs, imapstore.Tombstone{UID: e.UID, ModSeq: modseq})
	}
	m.live, m.shared = keep, false
	m.trim()
	m.touch(modseq)
	return blobs
}

// trim forgets the oldest tombstones, a mod-sequence at a time.
func (m *mailbox) trim() {
	limit := m.a.s.o.Tombstones
	if len(m.tombs) <= limit+limit/4 {
		return
	}
	cut := len(m.tombs) - limit
	for cut < len(m.tombs) && m.tombs[cut].ModSeq == m.tombs[cut-1].ModSeq {
		cut++
	}
	m.floor = m.tombs[cut-1].ModSeq
	m.tombs = slices.Clone(m.tombs[cut:])
}

// drop empties a mailbox that is deleted.
func (m *mailbox) drop(modseq uint64) []journal.BlobID {
	uids := make([]imapstore.UID, len(m.live))
	for i, e := range m.live {
		uids[i] = e.UID
	}
	blobs := m.remove(uids, modseq)
	m.dead = true
	delete(m.a.boxes, m.id)
	if m.a.byName[m.name] == m {
		delete(m.a.byName, m.name)
	}
	return blobs
}

// uidl is the unique-id of a message for POP3: as UIDVALIDITY never comes again
// in the account and the UID never in the mailbox, neither does this (RFC 1939
// section 7).
func (m *mailbox) uidl(uid imapstore.UID) string {
	return fmt.Sprintf("%08x%08x", m.validity, uint32(uid))
}
