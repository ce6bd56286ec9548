package vol

import (
	"fmt"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/journal"
)

// replayed is what a mailbox gathers while the journal replays. Records may
// come in any order (see encode.go), so flags may come before their message and
// a message after its end.
type replayed struct {
	named bool // its own record was seen
	live  map[imapstore.UID]*imapstore.Entry
	flags map[imapstore.UID]flagState
	gone  idset
	tombs map[imapstore.UID]uint64
}

// Replay takes a record of the store while the journal recovers.
func (s *Store) Replay(k journal.Kind, data []byte) error {
	d := newDec(data)
	switch k {
	case kindAccount:
		if st := decodeAccount(d); d.err == nil {
			s.replayAccount(st)
		}
	case kindMailbox:
		if st := decodeMailbox(d); d.err == nil {
			s.replayMailbox(st)
		}
	case kindMessage:
		if st := decodeMessage(d); d.err == nil {
			s.replayMessage(st)
		}
	case kindFlags:
		if a, m, fs := decodeFlags(d); d.err == nil {
			s.replayFlags(a, m, fs)
		}
	case kindExpunge:
		if st := decodeExpunge(d); d.err == nil {
			s.replayExpunge(st)
		}
	default:
		return fmt.Errorf("vol: a record of the unknown kind %d; was the journal written by a newer forepost?", k)
	}
	return d.err
}

// accountAt finds the account of a record, or makes room for it.
func (s *Store) accountAt(id uint64) *account {
	a := s.byID[id]
	if a == nil {
		a = blankAccount(s, id)
		s.byID[id] = a
		s.nextID = max(s.nextID, id+1)
	}
	return a
}

// mailboxAt finds the mailbox of a record, or makes room for it; nil if it is
// known to be gone.
func (s *Store) mailboxAt(account, id uint64) *mailbox {
	a := s.accountAt(account)
	if a.removed || a.goneBox.has(id) {
		return nil
	}
	m := a.boxes[id]
	if m == nil {
		m = &mailbox{a: a, id: id, replay: &replayed{live: map[imapstore.UID]*imapstore.Entry{},
			flags: map[imapstore.UID]flagState{}, tombs: map[imapstore.UID]uint64{}}}
		a.boxes[id] = m
		a.nextBox = max(a.nextBox, id+1)
	}
	return m
}

func (s *Store) replayAccount(st accountState) {
	a := s.accountAt(st.id)
	a.goneBox.addAll(st.gone)
	a.removed = a.removed || st.removed
	for id, m := range a.boxes {
		if a.removed || a.goneBox.has(id) {
			s.releaseAll(m)
			delete(a.boxes, id)
		}
	}
	a.nextBox, a.validity, a.modseq = max(a.nextBox, st.nextBox), max(a.validity, st.validity), max(a.modseq, st.modseq)
	if st.ver < a.ver {
		return
	}
	a.ver, a.name, a.quota = st.ver, st.name, st.quota
	clear(a.subs)
	for _, n := range st.subs {
		a.subs[n] = true
	}
}

func (s *Store) releaseAll(m *mailbox) {
	for _, e := range m.replay.live {
		s.j.Release(blobID(e))
	}
}

func (s *Store) replayMailbox(st mailboxState) {
	m := s.mailboxAt(st.account, st.id)
	if m == nil {
		return
	}
	if !m.replay.named || st.ver >= m.ver {
		m.replay.named = true
		m.ver, m.name, m.use, m.noselect, m.validity = st.ver, st.name, st.use, st.noselect, st.validity
	}
	m.nextUID, m.highest, m.floor = max(m.nextUID, st.nextUID), max(m.highest, st.highest), max(m.floor, st.floor)
	for _, t := range st.tombs {
		m.replay.tombs[t.UID] = max(m.replay.tombs[t.UID], t.ModSeq)
	}
}

// forget marks UIDs as gone.
func (s *Store) forget(m *mailbox, gone idset) {
	m.replay.gone.addAll(gone)
	for _, r := range gone {
		m.nextUID = max(m.nextUID, imapstore.UID(r.to)+1)
		if r.to-r.from < uint64(len(m.replay.live)) {
			for u := r.from; u <= r.to; u++ {
				s.drop(m, imapstore.UID(u))
			}
			continue
		}
		for u := range m.replay.live {
			if uint64(u) >= r.from && uint64(u) <= r.to {
				s.drop(m, u)
			}
		}
	}
}

func (s *Store) drop(m *mailbox, u imapstore.UID) {
	if e := m.replay.live[u]; e != nil {
		s.j.Release(blobID(e))
		delete(m.replay.live, u)
	}
	delete(m.replay.flags, u)
}

func (s *Store) replayMessage(st messageState) {
	m := s.mailboxAt(st.account, st.mailbox)
	if m == nil || m.replay.gone.has(uint64(st.entry.UID)) {
		return
	}
	e := &st.entry
	m.nextUID, m.highest = max(m.nextUID, e.UID+1), max(m.highest, e.ModSeq)
	e.Message.Blob = named{st.blob, rawSize(e)}
	old := m.replay.live[e.UID]
	switch {
	case old == nil:
		s.j.Hold(st.blob)
	case old.ModSeq > e.ModSeq:
		return
	}
	if f, ok := m.replay.flags[e.UID]; ok && f.modseq >= e.ModSeq {
		e.ModSeq, e.Flags = f.modseq, f.flags
	}
	delete(m.replay.flags, e.UID)
	m.replay.live[e.UID] = e
}

// rawSize is how many octets the blob under an entry has.
func rawSize(e *imapstore.Entry) int64 {
	n := e.Size
	for _, f := range e.Message.Prefix {
		n -= int64(len(f.Name) + len(f.Value) + len(": \r\n"))
	}
	for _, ed := range e.Message.Edits {
		n += ed.End - ed.Off - int64(len(ed.With))
	}
	return n
}

func (s *Store) replayFlags(account, mailbox uint64, fs []flagState) {
	m := s.mailboxAt(account, mailbox)
	if m == nil {
		return
	}
	for _, f := range fs {
		m.highest = max(m.highest, f.modseq)
		switch e := m.replay.live[f.uid]; {
		case m.replay.gone.has(uint64(f.uid)):
		case e == nil && f.modseq > m.replay.flags[f.uid].modseq:
			m.replay.flags[f.uid] = f
		case e != nil && f.modseq >= e.ModSeq:
			e.ModSeq, e.Flags = f.modseq, f.flags
		}
	}
}

func (s *Store) replayExpunge(st expungeState) {
	m := s.mailboxAt(st.account, st.id)
	if m == nil {
		return
	}
	m.highest = max(m.highest, st.modseq)
	for _, r := range st.gone {
		if r.to-r.from > uint64(2*s.o.Tombstones) { // more than would be kept
			m.floor = max(m.floor, st.modseq)
			continue
		}
		for u := r.from; u <= r.to; u++ {
			m.replay.tombs[imapstore.UID(u)] = max(m.replay.tombs[imapstore.UID(u)], st.modseq)
		}
	}
	s.forget(m, st.gone)
}
