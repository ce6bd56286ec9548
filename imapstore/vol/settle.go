package vol

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/forepost/forepost/imapstore"
)

// settle makes what was replayed ready for use, once.
func (s *Store) settle() {
	for id, a := range s.byID {
		s.validity = max(s.validity, a.validity)
		if a.removed {
			delete(s.byID, id)
			continue
		}
		if a.name == "" {
			a.name = fmt.Sprintf("recovered/%d", id)
			s.o.Log.Error("store: the record of an account is lost, its mail is kept", "account", a.name)
		}
		s.byName[a.name] = a
		for _, m := range a.boxes {
			m.settle()
			a.put(m)
		}
		a.goneBox = nil
	}
}

// settle turns what a mailbox gathered into what it works with.
func (m *mailbox) settle() {
	r := m.replay
	m.replay = nil
	if !r.named {
		m.a.validity++
		m.name, m.validity = fmt.Sprintf("Recovered-%d", m.id), m.a.validity
		m.a.s.o.Log.Error("store: the record of a mailbox is lost, its messages are kept", "account", m.a.name, "mailbox", m.name)
	}
	for _, e := range r.live {
		m.settleEntry(e)
	}
	slices.SortFunc(m.live, func(x, y *imapstore.Entry) int { return cmp.Compare(x.UID, y.UID) })
	for u, mod := range r.tombs {
		if mod > m.floor {
			m.tombs = append(m.tombs, imapstore.Tombstone{UID: u, ModSeq: mod})
		}
	}
	slices.SortFunc(m.tombs, func(x, y imapstore.Tombstone) int {
		return cmp.Or(cmp.Compare(x.ModSeq, y.ModSeq), cmp.Compare(x.UID, y.UID))
	})
	m.trim()
	m.nextUID = max(m.nextUID, 1)
	m.tipUID = m.nextUID
	m.a.modseq = max(m.a.modseq, m.highest)
}

// settleEntry counts a message and finds its octets.
func (m *mailbox) settleEntry(e *imapstore.Entry) {
	if b, err := m.a.s.j.Blob(blobID(e)); err == nil {
		e.Message.Blob = b
	} else {
		m.a.s.o.Log.Error("store: the octets of a message are lost", "account", m.a.name, "mailbox", m.name, "uid", e.UID, "error", err)
	}
	e.Flags = m.firstSeen(e.Flags)
	m.live = append(m.live, e)
	m.a.bytes += e.Size
	m.a.messages++
}
