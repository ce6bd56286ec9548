package vol

import (
	"weak"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/journal"
)

var _ journal.Owner = (*Store)(nil)

// Rewrite says again what a record that is to be given up was about. A record
// of a change that is durable and not yet true in memory is kept as it is.
func (s *Store) Rewrite(k journal.Kind, data []byte, b *journal.Batch) error {
	s.settled.Do(s.settle)
	d := newDec(data)
	var id, modseq uint64
	var again func(a *account)
	switch k {
	case kindAccount:
		st := decodeAccount(d)
		id, modseq = st.id, st.ver
		again = func(a *account) { b.Add(kindAccount, a.encode()) } // a removed one too: another record of it may be left
	case kindMailbox:
		st := decodeMailbox(d)
		id, modseq = st.account, st.highest
		again = func(a *account) { a.boxes[st.id].again(b, st.highest) }
	case kindMessage:
		st := decodeMessage(d)
		id, modseq = st.account, st.entry.ModSeq
		again = func(a *account) { a.boxes[st.mailbox].messageAgain(b, st.entry.UID) }
	case kindFlags:
		at, mailbox, fs := decodeFlags(d)
		id = at
		for _, f := range fs {
			modseq = max(modseq, f.modseq)
		}
		again = func(a *account) { a.boxes[mailbox].flagsAgain(b, fs) }
	case kindExpunge:
		st := decodeExpunge(d)
		id, modseq = st.account, st.modseq
		again = func(a *account) { a.boxes[st.id].again(b, st.modseq) }
	}
	if d.err != nil || again == nil {
		return d.err
	}
	s.mu.RLock()
	a := s.byID[id]
	s.mu.RUnlock()
	if a == nil {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.staged > 0 && modseq >= a.staged {
		b.Add(k, data)
		return nil
	}
	again(a)
	return nil
}

// again says what the mailbox is, once a batch: that has the UIDs that are gone
// and the tombstones, so it stands for all its expunges up to now.
func (m *mailbox) again(b *journal.Batch, modseq uint64) {
	if m == nil || m.written == weak.Make(b) && m.writtenAt >= modseq {
		return
	}
	m.written, m.writtenAt = weak.Make(b), m.highest
	b.Add(kindMailbox, m.encode())
}

// messageAgain says what a message is, if it lives.
func (m *mailbox) messageAgain(b *journal.Batch, uid imapstore.UID) {
	if m == nil {
		return
	}
	if i, ok := m.find(uid); ok {
		b.Add(kindMessage, encodeMessage(m, m.live[i]))
		return
	}
	for _, t := range m.pending { // durable, and not yet to be seen
		if t.e.UID == uid && t.err == nil {
			b.Add(kindMessage, encodeMessage(m, t.e))
		}
	}
}

// flagsAgain says the flags for which the record is the last word.
func (m *mailbox) flagsAgain(b *journal.Batch, fs []flagState) {
	if m == nil {
		return
	}
	var still []placed
	for _, f := range fs {
		if i, ok := m.find(f.uid); ok && m.live[i].ModSeq <= f.modseq {
			e := *m.live[i]
			e.ModSeq, e.Flags = f.modseq, f.flags
			still = append(still, placed{m, &e})
		}
	}
	encodeFlags(b, still)
}
