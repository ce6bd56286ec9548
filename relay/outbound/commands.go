package outbound

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/queue"
)

// usualRecipients is how many recipients every server takes in a transaction,
// RFC 5321 section 4.5.3.1.8.
const usualRecipients = 100

// batch is how many recipients go into one transaction with this server: what
// it states by LIMITS (RFC 9422), else what all must take.
func (s *session) batch() int {
	for _, limit := range strings.Fields(s.ext["LIMITS"]) {
		name, value, _ := strings.Cut(limit, "=")
		n, err := strconv.Atoi(value)
		if strings.EqualFold(name, "RCPTMAX") && err == nil && n > 0 {
			return min(n, 1000)
		}
	}
	return usualRecipients
}

// screen settles the recipients that this server cannot be asked for, and
// returns the others. A refusal of ours is for good: no other hop on the way
// can do without what is missing.
func (s *session) screen(m *mailing, to []int) (fit []int, fail *failure) {
	refusal, fail := s.form(m)
	switch {
	case fail != nil:
		return nil, fail
	case !refusal.IsZero():
		s.refuse(m, to, refusal)
		return nil, nil
	}
	if max, err := strconv.ParseInt(s.ext["SIZE"], 10, 64); err == nil && max > 0 && m.size > max {
		// RFC 1870 section 6.1 lets the server say it; we need not ask.
		s.refuse(m, to, mail.Refuse(52, 3, 4, fmt.Sprintf("The message has %d octets, and the server takes at most %d", m.size, max)))
		return nil, nil
	}
	if s.has("SMTPUTF8") {
		return to, nil
	}
	for _, i := range to {
		if m.needsUTF8(i) {
			s.refuse(m, []int{i}, mail.Refuse(50, 6, 7, "An address or header field has characters outside ASCII, which the server does not take (no SMTPUTF8)"))
		} else {
			fit = append(fit, i)
		}
	}
	return fit, nil
}

func (s *session) refuse(m *mailing, to []int, r mail.Reply) {
	a := queue.Attempt{Outcome: queue.Hard, Reply: r, Host: s.host, TLS: s.tls, Note: s.note}
	if r.Class == mail.Transient {
		a.Outcome = queue.Soft
	}
	m.note(to, a)
}

// asLines is a binary message (RFC 3030 section 3) for those who take lines only,
// or why it cannot be had.
func asLines(msg *mail.Message) (*mail.Message, mail.Reply) {
	blob, err := mime.AsLines(msg)
	switch {
	case errors.Is(err, mime.ErrSigned):
		return nil, mail.Refuse(54, 6, 3, "The message has signed binary content, which cannot be encoded, and the next server does not take it as it is (no BINARYMIME)")
	case err != nil:
		return nil, mail.Defer(51, 3, 0, fmt.Sprintf("The message cannot be read here: %v", err))
	}
	return &mail.Message{Blob: blob}, mail.Reply{}
}

// mailFrom is the MAIL command, with the parameters that the server knows.
func (s *session) mailFrom(m *mailing, to []int) string {
	var b strings.Builder
	b.WriteString("MAIL FROM:" + m.env.From.Path())
	if s.has("SIZE") {
		fmt.Fprintf(&b, " SIZE=%d", m.size)
	}
	switch {
	case m.env.Binary: // form saw to it that the server takes it
		b.WriteString(" BODY=BINARYMIME")
	case m.env.EightBit && s.has("8BITMIME"):
		b.WriteString(" BODY=8BITMIME")
	}
	if m.env.Priority != 0 && s.has("MT-PRIORITY") { // RFC 6710
		fmt.Fprintf(&b, " MT-PRIORITY=%d", m.env.Priority)
	}
	for _, i := range to {
		if s.has("SMTPUTF8") && m.needsUTF8(i) {
			b.WriteString(" SMTPUTF8")
			break
		}
	}
	if m.env.RequireTLS && s.has("REQUIRETLS") {
		b.WriteString(" REQUIRETLS")
	}
	if s.has("DSN") { // RFC 3461 sections 4.3 and 4.4
		if m.env.Ret == "FULL" || m.env.Ret == "HDRS" {
			b.WriteString(" RET=" + m.env.Ret)
		}
		if m.env.EnvID != "" {
			b.WriteString(" ENVID=" + xtext(m.env.EnvID))
		}
	}
	return b.String()
}

// rcptTo is the RCPT command for a recipient.
func (s *session) rcptTo(to mail.Recipient) string {
	cmd := "RCPT TO:" + to.Address.Path()
	if !s.has("DSN") {
		return cmd
	}
	if to.Notify != 0 {
		cmd += " NOTIFY=" + notifyWords(to.Notify)
	}
	// An original address outside ASCII has a form of its own (RFC 6533), which
	// few servers read: it is left out.
	if kind, addr, ok := strings.Cut(to.Original, ";"); ok && isAtom(kind) && isPrintable(addr) {
		cmd += " ORCPT=" + kind + ";" + xtext(addr)
	}
	return cmd
}

// notifyWords is the value of NOTIFY, RFC 3461 section 4.1.
func notifyWords(n mail.Notify) string {
	if n&mail.NotifyNever != 0 {
		return "NEVER"
	}
	var words []string
	for _, w := range []struct {
		bit  mail.Notify
		word string
	}{{mail.NotifySuccess, "SUCCESS"}, {mail.NotifyFailure, "FAILURE"}, {mail.NotifyDelay, "DELAY"}} {
		if n&w.bit != 0 {
			words = append(words, w.word)
		}
	}
	return strings.Join(words, ",")
}

// xtext encodes a parameter's value, RFC 3461 section 4.
func xtext(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c > '~' || c == '+' || c == '=' {
			fmt.Fprintf(&b, "+%02X", c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}

func isAtom(s string) bool {
	for i := 0; i < len(s); i++ {
		c := s[i] | 0x20
		if !('a' <= c && c <= 'z') && !('0' <= s[i] && s[i] <= '9') && s[i] != '-' {
			return false
		}
	}
	return s != ""
}

func isPrintable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return s != ""
}
