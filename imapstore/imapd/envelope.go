package imapd

import "github.com/forepost/forepost/relay/mime"

// envelope writes ENVELOPE (RFC 9051 section 7.5.2): the fields as they stand
// in the header, unfolded, with encoded words for the client to undo.
func (s *session) envelope(p *mime.Part) {
	s.enc.Raw("(")
	s.enc.NString(p.Get("Date"))
	s.enc.Raw(" ")
	s.enc.NString(p.Get("Subject"))
	from := parseAddresses(p.Get("From"))
	for _, name := range []string{"From", "Sender", "Reply-To", "To", "Cc", "Bcc"} {
		list := parseAddresses(p.Get(name))
		if len(list) == 0 && (name == "Sender" || name == "Reply-To") {
			list = from // the server puts it there, RFC 9051 section 7.5.2
		}
		s.enc.Raw(" ")
		s.addresses(list)
	}
	s.enc.Raw(" ")
	s.enc.NString(p.Get("In-Reply-To"))
	s.enc.Raw(" ")
	s.enc.NString(p.Get("Message-ID"))
	s.enc.Raw(")")
}

func (s *session) addresses(list []address) {
	if len(list) == 0 {
		s.enc.Raw("NIL")
		return
	}
	s.enc.Raw("(")
	for _, a := range list {
		s.address(a)
	}
	s.enc.Raw(")")
}

// address writes one address. A NIL host means a group: it begins with its name
// and ends with a NIL mailbox.
func (s *session) address(a address) {
	s.enc.Raw("(")
	s.enc.NString(a.name)
	s.enc.Raw(" ")
	s.enc.NString(a.route)
	s.enc.Raw(" ")
	switch a.kind {
	case groupStart:
		s.enc.String(a.local)
		s.enc.Raw(" NIL)")
	case groupEnd:
		s.enc.Raw("NIL NIL)")
	default:
		s.enc.String(a.local)
		s.enc.Raw(" ")
		s.enc.String(a.domain)
		s.enc.Raw(")")
	}
}
