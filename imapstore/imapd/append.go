package imapd

import (
	"strconv"
	"time"

	"github.com/forepost/forepost/imapstore/imapd/wire"
	"github.com/forepost/forepost/relay/mail"
)

// append is APPEND (RFC 9051 section 6.3.12, UTF8 of RFC 6855 section 4). What
// can be refused is refused before the client sends the message.
func (s *session) append() reply {
	s.dec.SP()
	name := s.mailboxName()
	s.dec.SP()
	flags, date := s.appendOptions()
	utf8 := s.appendUTF8()
	lit := s.dec.Stream(s.srv.cfg.AppendLimit, func() *wire.Error { return s.appendRefused(name) })
	if lit == nil {
		return syntax()
	}
	body, err := spool(lit)
	if err != nil {
		return s.spoolFailed(err)
	}
	defer body.discard()
	if utf8 {
		s.dec.Expect(')')
	}
	if !s.dec.End() {
		return syntax()
	}
	if body.nul {
		return no("UNKNOWN-CTE", "The message holds a NUL octet, which it cannot (RFC 5322 section 2.2)")
	}
	return s.appendMessage(name, flags, date, body)
}

func (s *session) appendOptions() (flags []string, date time.Time) {
	date = s.srv.cfg.Now()
	if s.dec.Is('(') {
		flags = s.flags()
		s.dec.SP()
	}
	if s.dec.Is('"') {
		date = s.dec.DateTime()
		s.dec.SP()
	}
	return flags, date
}

// appendUTF8 reads "UTF8 (" before a literal8.
func (s *session) appendUTF8() bool {
	if s.dec.Is('{') || s.dec.Is('~') {
		return false
	}
	if s.dec.Word() != "UTF8" {
		s.dec.Bad("the message is missing")
	}
	s.dec.SP()
	s.dec.Expect('(')
	return true
}

// appendRefused tells beforehand that a message cannot be taken.
func (s *session) appendRefused(name string) *wire.Error {
	_, err := s.mailbox(name)
	if err == nil {
		return nil
	}
	r := s.orTryCreate(err)
	return &wire.Error{Status: r.status, Code: r.code, Text: r.text}
}

// spoolFailed tells a connection that broke from a disk that did.
func (s *session) spoolFailed(err error) reply {
	if s.dec.Err() == nil {
		s.log.Error("imap: cannot keep a message that is being appended", "user", s.user, "err", err)
	}
	return no("SERVERBUG", "The message could not be kept; try again later")
}

func (s *session) appendMessage(name string, flags []string, date time.Time, body *spooled) reply {
	box, err := s.mailbox(name)
	if err != nil {
		return s.orTryCreate(err)
	}
	uid, err := box.Append(s.ctx(), &mail.Message{Blob: body}, flags, date)
	if err != nil {
		return s.orTryCreate(err)
	}
	validity := strconv.Itoa(int(box.Snapshot().UIDValidity))
	return doneCode("APPENDUID "+validity+" "+strconv.Itoa(int(uid)), "APPEND completed")
}
