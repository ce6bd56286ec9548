package imapd

import (
	"strings"
	"unicode/utf8"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/imapd/wire"
)

// delimiter parts the levels of names, as the store has them.
const delimiter = "/"

// mailboxName reads a mailbox. A name that is not one comes back as "", which
// the store does not know and does not create.
func (s *session) mailboxName() string { return s.decodeName(s.dec.AString()) }

// decodeName undoes modified UTF-7, unless the client speaks UTF-8: because it
// was enabled, or as the name shows (some take IMAP4rev2 for enabled when it is
// advertised; no name in UTF-7 has such octets).
func (s *session) decodeName(raw string) string {
	name, ok := raw, utf8.ValidString(raw)
	if !s.enc.UTF8 && !strings.ContainsFunc(raw, func(r rune) bool { return r >= utf8.RuneSelf }) {
		name, ok = wire.DecodeUTF7(raw)
	}
	if !ok || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x2028 || r == 0x2029 }) {
		return "" // RFC 9051 section 5.1 has no control characters in names
	}
	return name
}

// mailbox opens a mailbox of the account.
func (s *session) mailbox(name string) (imapstore.Mailbox, error) {
	if name == "" {
		return nil, imapstore.ErrNoMailbox
	}
	return s.account.Mailbox(name)
}

// named is for commands that do one thing to one mailbox.
func (s *session) named(do func(name string) error) reply {
	s.dec.SP()
	name := s.mailboxName()
	if !s.dec.End() {
		return syntax()
	}
	return s.finish(name, do)
}

func (s *session) finish(name string, do func(name string) error) reply {
	if name == "" {
		return s.refusal(imapstore.ErrName)
	}
	if err := do(name); err != nil {
		return s.refusal(err)
	}
	return done("")
}

// specialUses are those of RFC 6154 section 2 and RFC 8457 that a mailbox can be given.
var specialUses = map[string]string{`\ARCHIVE`: `\Archive`, `\DRAFTS`: `\Drafts`, `\JUNK`: `\Junk`,
	`\SENT`: `\Sent`, `\TRASH`: `\Trash`}

// create is CREATE (RFC 9051 section 6.3.4, with USE of RFC 6154 section 3).
func (s *session) create() reply {
	s.dec.SP()
	name := strings.TrimSuffix(s.mailboxName(), delimiter) // it only says that there will be levels below
	var uses []string
	if s.dec.Take(' ') {
		s.dec.Expect('(')
		if s.dec.Word() != "USE" {
			s.dec.Bad("CREATE knows only USE")
		}
		s.dec.SP()
		s.dec.List(func() { uses = append(uses, s.dec.Flag()) })
		s.dec.Expect(')')
	}
	if !s.dec.End() {
		return syntax()
	}
	use := ""
	for _, u := range uses {
		known, ok := specialUses[strings.ToUpper(u)]
		if !ok || len(uses) > 1 {
			return no("USEATTR", "A mailbox can have one use of: \\Archive \\Drafts \\Junk \\Sent \\Trash")
		}
		use = known
	}
	return s.finish(name, func(name string) error { return s.account.CreateMailbox(s.ctx(), name, use) })
}

// delete is DELETE (RFC 9051 section 6.3.5).
func (s *session) delete() reply {
	return s.named(func(name string) error {
		if strings.EqualFold(name, "INBOX") {
			return imapstore.ErrName
		}
		ours := s.view != nil && s.view.box.Name() == name
		if err := s.account.DeleteMailbox(s.ctx(), name); err != nil {
			return err
		}
		if ours {
			s.leave()
		}
		return nil
	})
}

// rename is RENAME (RFC 9051 section 6.3.6).
func (s *session) rename() reply {
	s.dec.SP()
	from := s.mailboxName()
	s.dec.SP()
	to := strings.TrimSuffix(s.mailboxName(), delimiter)
	if !s.dec.End() {
		return syntax()
	}
	if from == "" {
		return s.refusal(imapstore.ErrNoMailbox)
	}
	return s.finish(to, func(to string) error { return s.account.RenameMailbox(s.ctx(), from, to) })
}

func (s *session) subscribe() reply {
	return s.named(func(name string) error { return s.account.Subscribe(s.ctx(), name, true) })
}

func (s *session) unsubscribe() reply {
	return s.named(func(name string) error { return s.account.Subscribe(s.ctx(), name, false) })
}

// namespace is NAMESPACE (RFC 9051 section 6.3.10): everything is personal.
func (s *session) namespace() reply {
	if !s.dec.End() {
		return syntax()
	}
	s.enc.Line(`* NAMESPACE (("" "/")) NIL NIL`)
	return done("")
}
