package inbound

import (
	"strings"
	"sync/atomic"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// prefix is what is put on top of the message: Received, Authentication-Results,
// what filters found, what rules noted.
func (s *session) prefix(tx *transaction, b *bundle, all []pipeline.Result) []mail.Field {
	fields := append(make([]mail.Field, 0, 1), s.received(tx, all))
	var auth []pipeline.AuthResult
	var found []mail.Field
	for _, r := range all {
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
func (s *session) received(tx *transaction, found []pipeline.Result) mail.Field {
	v := append(append(append(s.scratch[:0], "from "...), heloName(s.ps.Helo)...), " ("...)
	if name := clientName(tx, found); name != "" { // [192.0.2.1], its name before it where that is known
		v = append(append(v, name...), ' ')
	}
	v = append(append(append(s.appendLiteral(v), ")\r\n\tby "...), s.cfg.Hostname...), " (Forepost) with "...)
	v = append(append(s.appendWith(v, tx), " id "...), tx.Transaction.ID...)
	if t := s.ps.TLS; t.On {
		v = append(append(append(v, "\r\n\t(version="...), strings.ReplaceAll(t.Version, " ", "")...), " cipher="...)
		v = append(append(v, t.Cipher...), ')')
	}
	if len(tx.To) == 1 && len(tx.discarded) == 0 { // others' addresses are nobody's business (section 7.2)
		v = append(append(append(v, "\r\n\tfor <"...), tx.notes[0].name...), '>')
	}
	v = append(append(v, ";\r\n\t"...), s.conn.srv.date.text(s.cfg.Now())...)
	s.scratch = v
	return mail.Field{Name: "Received", Value: string(v)}
}

// dates is the time as header fields have it, made once a second.
type dates struct{ last atomic.Pointer[date] }

type date struct {
	second int64
	zone   *time.Location
	text   string
}

func (d *dates) text(t time.Time) string {
	last := d.last.Load()
	if last == nil || last.second != t.Unix() || last.zone != t.Location() {
		last = &date{t.Unix(), t.Location(), t.Format(time.RFC1123Z)}
		d.last.Store(last)
	}
	return last.text
}

// clientName is the client's name from the reverse DNS, if a filter was asked
// for it and its addresses confirm it.
func clientName(tx *transaction, found []pipeline.Result) string {
	for _, r := range found {
		if name, ok := r.Finding.Facts["name"].(string); ok && r.Instance.Kind == "iprev" {
			return name
		}
	}
	return tx.ClientName // if a server in front of us told it
}

// appendWith appends the protocol word of RFC 3848 and RFC 6531 section 4.3.
func (s *session) appendWith(v []byte, tx *transaction) []byte {
	if s.cfg.Protocol != LMTP && !s.ps.ESMTP {
		return append(v, "SMTP"...)
	}
	switch {
	case s.cfg.Protocol == LMTP && tx.SMTPUTF8:
		v = append(v, "UTF8LMTP"...)
	case s.cfg.Protocol == LMTP:
		v = append(v, "LMTP"...)
	case tx.SMTPUTF8:
		v = append(v, "UTF8SMTP"...)
	default:
		v = append(v, "ESMTP"...)
	}
	if s.ps.TLS.On {
		v = append(v, 'S')
	}
	if s.ps.Auth.User != "" {
		v = append(v, 'A')
	}
	return v
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

// appendLiteral appends the client's address literal, RFC 5321 section 4.1.3.
func (s *session) appendLiteral(v []byte) []byte {
	if p, ok := s.conn.raw.(interface{ Peer() string }); ok { // a program of this machine
		return append(v, p.Peer()...)
	}
	switch {
	case !s.ps.Client.IsValid():
		return append(v, "local"...)
	case s.ps.Client.Is4():
		return append(append(append(v, '['), s.ip...), ']')
	}
	return append(s.ps.Client.WithZone("").AppendTo(append(v, "[IPv6:"...)), ']')
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
