package inbound

import (
	"strings"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// prefix is what is put on top of the message: Received, Authentication-Results,
// what filters found, what rules noted.
func (s *session) prefix(tx *transaction, b *bundle) []mail.Field {
	fields := []mail.Field{s.received(tx)}
	var auth []pipeline.AuthResult
	var found []mail.Field
	for _, r := range tx.Results() {
		if r.To == -1 || r.To == b.first {
			auth = append(auth, r.Finding.Auth...)
			found = append(found, r.Finding.Fields...)
		}
	}
	if len(auth) > 0 {
		fields = append(fields, pipeline.AuthenticationResults(s.cfg.Hostname, auth))
	}
	fields = append(append(fields, found...), b.ledger.Fields...)
	if s.cfg.Protocol == Submission {
		fields = append(fields, missing(tx.Part, tx.Transaction.ID, s.cfg.Hostname, s.cfg.Now())...)
	}
	return fields
}

// received is the trace field, RFC 5321 section 4.4.
func (s *session) received(tx *transaction) mail.Field {
	v := make([]byte, 0, 256)
	v = append(append(append(append(v, "from "...), heloName(s.ps.Helo)...), " ("...), s.clientText(tx)...)
	v = append(append(append(v, ")\r\n\tby "...), s.cfg.Hostname...), " (Forepost) with "...)
	v = append(append(append(v, s.with(tx)...), " id "...), tx.Transaction.ID...)
	if t := s.ps.TLS; t.On {
		v = append(append(append(v, "\r\n\t(version="...), strings.ReplaceAll(t.Version, " ", "")...), " cipher="...)
		v = append(append(v, t.Cipher...), ')')
	}
	if len(tx.To)+len(tx.discarded) == 1 && len(tx.To) == 1 { // others' addresses are nobody's business (section 7.2)
		v = append(append(v, "\r\n\tfor "...), tx.To[0].Address.Path()...)
	}
	v = s.cfg.Now().AppendFormat(append(v, ";\r\n\t"...), time.RFC1123Z)
	return mail.Field{Name: "Received", Value: string(v)}
}

// clientText is the client as Received names it: [192.0.2.1], its name before it
// where that is known.
func (s *session) clientText(tx *transaction) string {
	if name := clientName(tx); name != "" {
		return name + " " + s.literal()
	}
	return s.literal()
}

// clientName is the client's name from the reverse DNS, if a filter was asked
// for it and its addresses confirm it.
func clientName(tx *transaction) string {
	for _, r := range tx.Results() {
		if name, ok := r.Finding.Facts["name"].(string); ok && r.Instance.Kind == "iprev" {
			return name
		}
	}
	return tx.ClientName // if a server in front of us told it
}

// with is the protocol word of RFC 3848 and RFC 6531 section 4.3.
func (s *session) with(tx *transaction) string {
	if s.cfg.Protocol != LMTP && !s.ps.ESMTP {
		return "SMTP"
	}
	word := "ESMTP"
	switch {
	case s.cfg.Protocol == LMTP && tx.SMTPUTF8:
		word = "UTF8LMTP"
	case s.cfg.Protocol == LMTP:
		word = "LMTP"
	case tx.SMTPUTF8:
		word = "UTF8SMTP"
	}
	if s.ps.TLS.On {
		word += "S"
	}
	if s.ps.Auth.User != "" {
		word += "A"
	}
	return word
}

// heloName is the name that the client gave, if it can stand in a field.
func heloName(name string) string {
	for i := 0; i < len(name); i++ {
		c := name[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte(".-_:[]", c) < 0 {
			return "unknown"
		}
	}
	if name == "" || len(name) > 255 {
		return "unknown"
	}
	return name
}

// literal is the client's address literal, RFC 5321 section 4.1.3.
func (s *session) literal() string {
	if s.conn != nil {
		if p, ok := s.conn.raw.(interface{ Peer() string }); ok { // a program of this machine
			return p.Peer()
		}
	}
	switch {
	case !s.ps.Client.IsValid():
		return "local"
	case s.ps.Client.Is4():
		return "[" + s.ip + "]"
	}
	return "[IPv6:" + s.ps.Client.WithZone("").String() + "]"
}

// missing are the fields that a submission server adds where a client left them
// out, RFC 6409 section 8.
func missing(p *mime.Part, id mail.ID, host string, now time.Time) (fs []mail.Field) {
	if len(p.All("Date")) == 0 {
		fs = append(fs, mail.Field{Name: "Date", Value: now.Format(time.RFC1123Z)})
	}
	if len(p.All("Message-ID")) == 0 {
		fs = append(fs, mail.Field{Name: "Message-ID", Value: "<" + string(id) + "@" + host + ">"})
	}
	return fs
}
