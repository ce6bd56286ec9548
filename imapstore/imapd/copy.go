package imapd

import (
	"context"
	"strconv"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/imapd/wire"
)

// transfer is COPY and MOVE: what the store does, and how the answer is given.
type transfer func(ctx context.Context, uids []imapstore.UID, to string) (imapstore.Copied, error)

// copy is COPY (RFC 9051 section 6.4.7).
func (s *session) copy(byUID bool) reply {
	code, r := s.transfer(byUID, s.view.box.Copy)
	if r.status == "OK" {
		r.code = code
	}
	return r
}

// move is MOVE (RFC 9051 section 6.4.8): COPYUID comes in an untagged OK, before
// the EXPUNGEs, which are those of the update that follows.
func (s *session) move(byUID bool) reply {
	do := s.view.box.Move
	code, r := s.transfer(byUID, func(ctx context.Context, uids []imapstore.UID, to string) (imapstore.Copied, error) {
		if s.view.readOnly {
			return imapstore.Copied{}, errReadOnly
		}
		return do(ctx, uids, to)
	})
	if r.status == "OK" && code != "" {
		s.enc.Line("* OK [", code, "] Moved")
	}
	return r
}

func (s *session) transfer(byUID bool, do transfer) (code string, r reply) {
	s.dec.SP()
	set := s.dec.Set()
	s.dec.SP()
	to := s.mailboxName()
	if !s.dec.End() {
		return "", syntax()
	}
	at, ok := s.indexes(set, byUID)
	if !ok {
		return "", noSuchMessage()
	}
	if _, err := s.mailbox(to); err != nil {
		return "", s.orTryCreate(err)
	}
	if len(at) == 0 {
		return "", done("Nothing to do")
	}
	c, err := do(s.ctx(), s.uidsAt(at), to)
	if err == errReadOnly {
		return "", readOnly()
	}
	if err != nil {
		return "", s.orTryCreate(err)
	}
	return copyUID(c), done("")
}

// copyUID is the code COPYUID (RFC 9051 section 7.1), or "" where nothing was there.
func copyUID(c imapstore.Copied) string {
	if len(c.From) == 0 {
		return ""
	}
	return "COPYUID " + strconv.Itoa(int(c.UIDValidity)) + " " + wire.FormatSet(c.From) + " " + wire.FormatSet(c.To)
}
