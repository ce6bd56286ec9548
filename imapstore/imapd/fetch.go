package imapd

import (
	"slices"
	"strconv"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/imapd/wire"
)

// plain are the items that need no look into the message.
var plain map[string]func(s *session, e *imapstore.Entry)

func init() { // FETCH's parser asks whether an item is plain
	plain = map[string]func(s *session, e *imapstore.Entry){
		"UID": func(s *session, e *imapstore.Entry) { s.enc.Raw("UID "); s.enc.Uint(uint64(e.UID)) },
		"FLAGS": func(s *session, e *imapstore.Entry) {
			s.enc.Raw("FLAGS (", s.flagsOf(e), ")")
		},
		"INTERNALDATE": func(s *session, e *imapstore.Entry) {
			s.enc.Raw("INTERNALDATE ", wire.FormatDateTime(e.Date))
		},
		"RFC822.SIZE": func(s *session, e *imapstore.Entry) { s.enc.Raw("RFC822.SIZE "); s.enc.Uint(uint64(e.Size)) },
		"MODSEQ": func(s *session, e *imapstore.Entry) {
			s.enc.Raw("MODSEQ (", strconv.FormatUint(e.ModSeq, 10), ")")
		},
		"EMAILID": func(s *session, e *imapstore.Entry) { s.enc.Raw("EMAILID (", e.EmailID, ")") }, // RFC 8474 section 5.1
	}
}

// fetch is FETCH (RFC 9051 section 6.4.5, RFC 7162 section 3.1.4).
func (s *session) fetch(byUID bool) reply {
	f := s.parseFetch(byUID)
	if !s.dec.End() {
		return syntax()
	}
	at, ok := s.indexes(f.set, byUID)
	if !ok {
		return noSuchMessage()
	}
	if f.since > 0 {
		at = slices.DeleteFunc(at, func(i int) bool { return s.view.snap.Messages[i].ModSeq <= f.since })
	}
	seen, err := s.markSeen(f, at)
	if err != nil {
		return s.refusal(err)
	}
	return s.fetchAll(f, at, seen)
}

func (s *session) fetchAll(f *fetching, at []int, seen []imapstore.UID) reply {
	var failed error
	for _, i := range at {
		_, nowSeen := slices.BinarySearch(seen, s.view.snap.Messages[i].UID)
		if err := s.fetchOne(f, i, nowSeen); err != nil {
			failed = s.orGone(err, s.view.snap.Messages[i].UID)
		}
		if s.enc.Err() != nil {
			break // nobody reads it
		}
	}
	if failed != nil {
		return s.refusal(failed)
	}
	return done("")
}

// orGone is ErrGone where a message could not be read because it has been
// expunged, which the client was not told yet (RFC 2180 section 4.1.2).
func (s *session) orGone(err error, uid imapstore.UID) error {
	if _, there := s.view.box.Snapshot().Find(uid); !there {
		return imapstore.ErrGone
	}
	return err
}

// markSeen sets \Seen for the items that do (RFC 9051 section 6.4.5), for all
// messages in one step, and returns those that did not have it.
func (s *session) markSeen(f *fetching, at []int) (uids []imapstore.UID, err error) {
	peek := !slices.ContainsFunc(f.items, func(i item) bool { return reads[i.name] && !i.peek })
	if s.view.readOnly || peek {
		return nil, nil
	}
	for _, i := range at {
		if e := s.view.snap.Messages[i]; !e.Has(`\Seen`) {
			uids = append(uids, e.UID)
		}
	}
	if len(uids) == 0 {
		return nil, nil
	}
	if _, err = s.view.box.Store(s.ctx(), uids, imapstore.FlagsAdd, []string{`\Seen`}, 0); err != nil {
		return nil, err
	}
	s.updateBut(false, func(_, now *imapstore.Entry) bool { // told with the answer
		_, ours := slices.BinarySearch(uids, now.UID)
		return ours
	})
	return uids, nil
}

// reads are the items that read a message.
var reads = map[string]bool{"BODY[": true, "BINARY[": true, "RFC822": true, "RFC822.TEXT": true}

// fetchOne answers for one message. A message whose octets cannot be had is
// left out.
func (s *session) fetchOne(f *fetching, at int, nowSeen bool) error {
	e := s.view.snap.Messages[at]
	var m *opened
	if f.content {
		var err error
		if m, err = s.openMessage(f, e); err != nil {
			return err
		}
		defer m.Close()
	}
	s.enc.Raw("* ", strconv.Itoa(at+1), " FETCH (")
	for n, i := range f.items {
		if n > 0 {
			s.enc.Raw(" ")
		}
		if show := plain[i.name]; show != nil {
			show(s, e)
		} else {
			s.fetchContent(m, &i)
		}
	}
	for _, extra := range []string{"FLAGS", "MODSEQ"} {
		if nowSeen && !f.asks(extra) && (extra == "FLAGS" || s.condstore) {
			s.enc.Raw(" ")
			plain[extra](s, e)
		}
	}
	s.enc.Raw(")\r\n")
	return nil
}
