package vol

import (
	"maps"
	"slices"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/journal"
)

// The kinds of records. Each tells a state, not a step, and carries the
// mod-sequence of it: the higher one counts, and what is gone stays gone, so
// that a record which compaction put behind later ones, or which is replayed
// twice, does no harm (journal.Owner).
const (
	kindAccount = journal.KindStore + iota // an account, without its mailboxes
	kindMailbox                            // a mailbox, without its messages
	kindMessage                            // a message with its flags
	kindFlags                              // the flags of messages
	kindExpunge                            // messages that went
)

// accountState is what kindAccount says.
type accountState struct {
	id, ver, modseq uint64
	removed         bool
	name            string
	quota           int64
	validity        uint32
	nextBox         uint64
	gone            idset    // mailboxes that were deleted
	subs            []string // in order
}

// state is the account as it is. The caller holds mu, or the account alone.
func (a *account) state() accountState {
	ids := slices.Sorted(maps.Keys(a.boxes))
	return accountState{id: a.id, ver: a.ver, modseq: a.modseq, removed: a.removed, name: a.name, quota: a.quota,
		validity: a.validity, nextBox: a.nextBox, gone: holes(a.nextBox, slices.Values(ids)),
		subs: slices.Sorted(maps.Keys(a.subs))}
}

func (a *account) encode() []byte { st := a.state(); return st.encode() }

func (st *accountState) encode() []byte {
	e := newEnc(64 + len(st.subs)*16)
	e.num(st.id)
	e.num(st.ver)
	e.num(st.modseq)
	e.yes(st.removed)
	e.str(st.name)
	e.num(uint64(st.quota))
	e.num(uint64(st.validity))
	e.num(st.nextBox)
	e.set(st.gone)
	e.strs(st.subs)
	return e.b
}

func decodeAccount(d *dec) accountState {
	return accountState{id: d.num(), ver: d.num(), modseq: d.num(), removed: d.yes(), name: d.str(), quota: int64(d.num()),
		validity: uint32(d.num()), nextBox: d.num(), gone: d.set(), subs: d.strs()}
}

// mailboxState is what kindMailbox says.
type mailboxState struct {
	account, id, ver uint64
	name, use        string
	noselect         bool
	validity         uint32
	nextUID          imapstore.UID
	highest, floor   uint64
	tombs            []imapstore.Tombstone
}

// state is the mailbox as it is. The caller holds a.mu, or the account alone.
func (m *mailbox) state() mailboxState {
	return mailboxState{account: m.a.id, id: m.id, ver: m.ver, name: m.name, use: m.use, noselect: m.noselect,
		validity: m.validity, nextUID: m.nextUID, highest: m.highest, floor: m.floor, tombs: m.tombs}
}

func (m *mailbox) encode() []byte { st := m.state(); return st.encode() }

func (st *mailboxState) encode() []byte {
	e := newEnc(64 + 6*len(st.tombs))
	e.num(st.account)
	e.num(st.id)
	e.num(st.ver)
	e.str(st.name)
	e.str(st.use)
	e.yes(st.noselect)
	e.num(uint64(st.validity))
	e.num(uint64(st.nextUID))
	e.num(st.highest)
	e.num(st.floor)
	e.num(uint64(len(st.tombs)))
	at := st.floor
	for _, t := range st.tombs {
		e.num(uint64(t.UID))
		e.num(t.ModSeq - at)
		at = t.ModSeq
	}
	return e.b
}

func decodeMailbox(d *dec) mailboxState {
	st := mailboxState{account: d.num(), id: d.num(), ver: d.num(), name: d.str(), use: d.str(), noselect: d.yes(),
		validity: uint32(d.num()), nextUID: imapstore.UID(d.num()), highest: d.num(), floor: d.num()}
	n := d.count()
	at := st.floor
	for range n {
		uid := imapstore.UID(d.num())
		at += d.num()
		st.tombs = append(st.tombs, imapstore.Tombstone{UID: uid, ModSeq: at})
	}
	return st
}

// encodeExpunge tells that messages went; uids are in order.
func encodeExpunge(m *mailbox, modseq uint64, uids []imapstore.UID) []byte {
	var gone idset
	for _, u := range uids {
		gone.add(uint64(u), uint64(u))
	}
	e := newEnc(32)
	e.num(m.a.id)
	e.num(m.id)
	e.num(modseq)
	e.set(gone)
	return e.b
}

type expungeState struct {
	account, id, modseq uint64
	gone                idset
}

func decodeExpunge(d *dec) expungeState {
	return expungeState{account: d.num(), id: d.num(), modseq: d.num(), gone: d.set()}
}
