package vol

import (
	"weak"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/journal"
)

var _ journal.Owner = (*Store)(nil)

// Rewrite says again what a record that is to be given up was about. Since
// every change becomes true in memory from the journal's writer (Batch.Then),
// memory is what the log says up to here.
func (s *Store) Rewrite(k journal.Kind, data []byte, b *journal.Batch) error {
	s.settled.Do(s.settle)
	d := newDec(data)
	switch k {
	case kindAccount:
		st := decodeAccount(d)
		s.at(st.id, 0, func(a *account, _ *mailbox) { a.again(b) })
	case kindMailbox:
		st := decodeMailbox(d)
		s.at(st.account, st.id, func(_ *account, m *mailbox) { m.again(b, st.highest+1) })
	case kindMessage:
		st := decodeMessage(d)
		s.at(st.account, st.mailbox, func(_ *account, m *mailbox) { m.messageAgain(b, st.entry.UID) })
	case kindFlags:
		id, box, fs := decodeFlags(d)
		s.at(id, box, func(_ *account, m *mailbox) { m.flagsAgain(b, fs) })
	case kindExpunge:
		st := decodeExpunge(d)
		s.at(st.account, st.id, func(_ *account, m *mailbox) { m.again(b, st.modseq) })
	}
	return d.err
}

// at calls f for an account and a mailbox that live, under the account's mu;
// with box 0 for the account alone.
func (s *Store) at(id, box uint64, f func(a *account, m *mailbox)) {
	s.mu.RLock()
	a := s.byID[id]
	s.mu.RUnlock()
	if a == nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if m := a.boxes[box]; m != nil || box == 0 {
		f(a, m)
	}
}

// again says what the account is, unless it was removed: everything of it lies
// before its removal.
func (a *account) again(b *journal.Batch) {
	if !a.removed {
		b.Add(kindAccount, a.encode())
	}
}

// again says what the mailbox is, with its tombstones. That stands for all its
// expunges so far, so it is not said if it was since the mod-sequence given.
func (m *mailbox) again(b *journal.Batch, since uint64) {
	if m.said >= since || m.saying == weak.Make(b) && m.sayingAt >= since {
		return
	}
	at := m.highest
	m.saying, m.sayingAt = weak.Make(b), at
	b.Add(kindMailbox, m.encode())
	b.Then(func() {
		m.a.mu.Lock()
		defer m.a.mu.Unlock()
		m.said = max(m.said, at)
	})
}

// messageAgain says what a message is, if it lives.
func (m *mailbox) messageAgain(b *journal.Batch, uid imapstore.UID) {
	if i, ok := m.find(uid); ok {
		b.Add(kindMessage, encodeMessage(m, m.live[i]))
		return
	}
	for _, t := range m.pending { // durable, and not yet to be seen
		if t.e.UID == uid && t.over && t.err == nil {
			b.Add(kindMessage, encodeMessage(m, t.e))
		}
	}
}

// flagsAgain says the flags for which the record is the last word.
func (m *mailbox) flagsAgain(b *journal.Batch, fs []flagState) {
	var still []placed
	for _, f := range fs {
		if i, ok := m.find(f.uid); ok && m.live[i].ModSeq <= f.modseq {
			still = append(still, placed{m, m.live[i]})
		}
	}
	encodeFlags(b, still)
}
