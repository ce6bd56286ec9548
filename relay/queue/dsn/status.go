package dsn

import (
	"bytes"
	"strings"

	"github.com/forepost/forepost/relay/mail"
)

func (r *Report) statusType() string {
	if r.utf8() {
		return "message/global-delivery-status" // RFC 6533 section 4
	}
	return "message/delivery-status"
}

// status is the part for programs, RFC 3464 section 2: the message, an empty
// line, and a block for each recipient.
func (r *Report) status() []byte {
	var b bytes.Buffer
	field(&b, "Reporting-MTA", "dns; "+r.Hostname)
	if id := clean(r.Envelope.EnvID, r.utf8()); id != "" {
		folded(&b, "Original-Envelope-Id", id)
	}
	if !r.Envelope.Received.IsZero() {
		field(&b, "Arrival-Date", date(r.Envelope.Received))
	}
	for i := range r.Recipients {
		b.WriteString("\r\n")
		r.recipient(&b, &r.Recipients[i])
	}
	return b.Bytes()
}

func (r *Report) recipient(b *bytes.Buffer, to *Recipient) {
	if o := clean(to.Original, r.utf8()); strings.Contains(o, ";") { // RFC 3464 section 2.3.1: as ORCPT gave it
		folded(b, "Original-Recipient", o)
	}
	folded(b, "Final-Recipient", r.addressType(to.Address)+"; "+r.address(to.Address))
	field(b, "Action", r.Action.String())
	field(b, "Status", r.code(to))
	if to.Host != "" {
		folded(b, "Remote-MTA", "dns; "+clean(hostName(to.Host), false))
	}
	if !to.Reply.IsZero() {
		folded(b, "Diagnostic-Code", diagnosticType(to)+"; "+clean(to.Reply.String(), r.utf8()))
	}
	if !to.Last.IsZero() {
		field(b, "Last-Attempt-Date", date(to.Last))
	}
	if r.Action == Delayed && !to.Until.IsZero() {
		field(b, "Will-Retry-Until", date(to.Until))
	}
}

// addressType is rfc822, or utf-8 (RFC 6533 section 3) for what is not ASCII.
func (r *Report) addressType(a mail.Address) string {
	if a.NeedsUTF8() {
		return "utf-8"
	}
	return "rfc822"
}

func (r *Report) address(a mail.Address) string { return clean(a.String(), r.utf8()) }

// code is the Status field, RFC 3463.
func (r *Report) code(to *Recipient) string {
	switch {
	case to.Expired:
		return "4.4.7" // delivery time expired
	case r.Action == Relayed || r.Action == Delivered:
		return "2.0.0"
	case to.Reply.IsZero() && r.Action == Delayed:
		return "4.0.0"
	case to.Reply.IsZero():
		return "5.0.0"
	}
	return to.Reply.Enhanced()
}

// diagnosticType tells a server's words from ours, RFC 3464 section 2.3.6.
func diagnosticType(to *Recipient) string {
	if to.Remote {
		return "smtp"
	}
	return "x-forepost"
}

// hostName is the name in "ex1.example.com[10.0.0.5]:25".
func hostName(host string) string {
	if i := strings.IndexByte(host, '['); i > 0 {
		return host[:i]
	}
	return host
}
