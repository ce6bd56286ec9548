package imapd

import (
	"strconv"

	"github.com/forepost/forepost/imapstore"
)

// statusCounts are the items of STATUS (RFC 9051 section 6.3.11; RECENT is RFC
// 3501's, HIGHESTMODSEQ RFC 7162's).
var statusCounts = map[string]func(*session, *imapstore.Snapshot) uint64{
	"MESSAGES":      func(_ *session, b *imapstore.Snapshot) uint64 { return uint64(len(b.Messages)) },
	"UIDNEXT":       func(_ *session, b *imapstore.Snapshot) uint64 { return uint64(b.UIDNext) },
	"UIDVALIDITY":   func(_ *session, b *imapstore.Snapshot) uint64 { return uint64(b.UIDValidity) },
	"HIGHESTMODSEQ": func(_ *session, b *imapstore.Snapshot) uint64 { return b.HighestModSeq },
	"APPENDLIMIT":   func(s *session, _ *imapstore.Snapshot) uint64 { return uint64(s.srv.cfg.AppendLimit) },
	"UNSEEN": func(_ *session, b *imapstore.Snapshot) uint64 {
		return uint64(len(b.Messages)) - flagged(b, `\Seen`)
	},
	"DELETED": func(_ *session, b *imapstore.Snapshot) uint64 { return flagged(b, `\Deleted`) },
	"RECENT": func(s *session, b *imapstore.Snapshot) (n uint64) {
		from := s.srv.recents.claim(s.user, b, false)
		for i := len(b.Messages) - 1; i >= 0 && b.Messages[i].UID >= from; i-- {
			n++
		}
		return n
	},
	"SIZE": func(_ *session, b *imapstore.Snapshot) (n uint64) {
		for _, e := range b.Messages {
			n += uint64(e.Size)
		}
		return n
	},
}

func flagged(b *imapstore.Snapshot, flag string) (n uint64) {
	for _, e := range b.Messages {
		if e.Has(flag) {
			n++
		}
	}
	return n
}

// statusItems reads the list of STATUS.
func (s *session) statusItems() (items []string) {
	s.dec.List(func() {
		w := s.dec.Word()
		if statusCounts[w] == nil {
			s.dec.Bad("STATUS knows no %s", w)
		}
		if len(items) == len(statusCounts) {
			s.dec.Bad("an item stands twice")
		}
		items = append(items, w)
		if w == "HIGHESTMODSEQ" {
			s.useCondstore()
		}
	})
	if len(items) == 0 {
		s.dec.Bad("the items of STATUS are missing")
	}
	return items
}

// status is STATUS (RFC 9051 section 6.3.11).
func (s *session) status() reply {
	s.dec.SP()
	name := s.mailboxName()
	s.dec.SP()
	items := s.statusItems()
	if !s.dec.End() {
		return syntax()
	}
	box, err := s.mailbox(name)
	if err != nil {
		return s.refusal(err)
	}
	s.tellStatus(box.Name(), box.Snapshot(), items)
	return done("")
}

func (s *session) tellStatus(name string, snap *imapstore.Snapshot, items []string) {
	s.enc.Raw("* STATUS ")
	s.enc.Mailbox(name)
	s.enc.Raw(" (")
	for i, item := range items {
		if i > 0 {
			s.enc.Raw(" ")
		}
		s.enc.Raw(item, " ", strconv.FormatUint(statusCounts[item](s, snap), 10))
	}
	s.enc.Raw(")\r\n")
}
