package imapd

import (
	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/imapd/wire"
)

// deleted are the UIDs of messages with \Deleted, of those in only if it is
// not nil.
func deleted(snap *imapstore.Snapshot, only []wire.Range) (uids []imapstore.UID) {
	for _, e := range snap.Messages {
		if e.Has(`\Deleted`) && (only == nil || wire.Contains(only, uint32(e.UID))) {
			uids = append(uids, e.UID)
		}
	}
	return uids
}

func readOnly() reply { return no("", "The mailbox is open for reading only") }

// expunge is EXPUNGE (RFC 9051 section 6.4.3). The EXPUNGE responses are those
// of the update that follows.
func (s *session) expunge() reply {
	if !s.dec.End() {
		return syntax()
	}
	return s.expungeOnly(nil)
}

// uidExpunge is UID EXPUNGE (RFC 9051 section 6.4.9).
func (s *session) uidExpunge() reply {
	s.dec.SP()
	set := s.dec.Set()
	if !s.dec.End() {
		return syntax()
	}
	return s.expungeOnly(s.uidRanges(set))
}

func (s *session) expungeOnly(only []wire.Range) reply {
	if s.view.readOnly {
		return readOnly()
	}
	uids := deleted(s.view.box.Snapshot(), only)
	if len(uids) == 0 {
		return done("")
	}
	if err := s.view.box.Expunge(s.ctx(), uids); err != nil {
		return s.refusal(err)
	}
	return done("")
}
