package dsn

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// Write writes the report. It fails only where reading the original or writing
// does.
func Write(w io.Writer, r *Report) (Form, error) {
	orig, err := r.original()
	if err != nil {
		return Form{}, fmt.Errorf("dsn: the original of %s cannot be read: %w", r.Envelope.ID, err)
	}
	human, status := r.human(), r.status()
	form := Form{SMTPUTF8: r.utf8()}
	form.EightBit = !ascii(human) || !ascii(status) || !ascii(orig.body)
	border := boundary(r.ID, human, status, orig.body)

	var b bytes.Buffer
	r.header(&b, border, form)
	part(&b, border, "text/plain; charset=utf-8", "Notification", human)
	part(&b, border, r.statusType(), "Delivery report", status)
	part(&b, border, orig.typ, orig.about, orig.body)
	b.WriteString("\r\n--" + border + "--\r\n")
	_, err = b.WriteTo(w)
	return form, err
}

// boundary is a line that none of the parts has.
func boundary(id mail.ID, parts ...[]byte) string {
	for n := 0; ; n++ {
		border := fmt.Sprintf("=_report_%s_%d", id, n)
		free := true
		for _, p := range parts {
			free = free && !bytes.Contains(p, []byte(border))
		}
		if free {
			return border
		}
	}
}

func part(b *bytes.Buffer, border, typ, about string, body []byte) {
	b.WriteString("\r\n--" + border + "\r\n")
	field(b, "Content-Type", typ)
	field(b, "Content-Description", about)
	field(b, "Content-Transfer-Encoding", encoding(body))
	b.WriteString("\r\n")
	b.Write(body)
}

func encoding(body []byte) string {
	if ascii(body) {
		return "7bit"
	}
	return "8bit"
}

var subjects = [...]string{
	Failed:    "Your message could not be delivered",
	Delayed:   "Your message is delayed",
	Relayed:   "Your message was passed on",
	Delivered: "Your message was delivered",
}

func (r *Report) header(b *bytes.Buffer, border string, f Form) {
	from := r.From
	if from.IsNull() {
		from = mail.Address{Local: "MAILER-DAEMON", Domain: r.Hostname}
	}
	field(b, "From", "Mail Delivery System "+from.Path())
	field(b, "To", r.Envelope.From.Path())
	field(b, "Subject", subjects[r.Action])
	field(b, "Date", date(r.Time))
	field(b, "Message-ID", "<"+string(r.ID)+"@"+r.Hostname+">")
	field(b, "Auto-Submitted", "auto-replied") // RFC 3834 section 5
	field(b, "MIME-Version", "1.0")
	field(b, "Content-Type", "multipart/report; report-type=delivery-status;\r\n boundary=\""+border+`"`)
	if f.EightBit {
		field(b, "Content-Transfer-Encoding", "8bit") // RFC 2045 section 6.4
	}
}

// field writes a field whose value is ours and needs no care.
func field(b *bytes.Buffer, name, value string) {
	b.WriteString(name)
	b.WriteString(": ")
	b.WriteString(value)
	b.WriteString("\r\n")
}

// date is RFC 5322 section 3.3.
func date(t time.Time) string { return t.Format("Mon, 02 Jan 2006 15:04:05 -0700") }
