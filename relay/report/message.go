package report

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// Mailing is how a report is sent.
type Mailing struct {
	From      mail.Address
	To        mail.Address
	Submitter string // the domain that reports
	Date      time.Time
}

// File is the report's name, RFC 9990 section 3.5.2: the same each time that the
// report is sent.
func (a *Aggregate) File(submitter string) string {
	return fmt.Sprintf("%s!%s!%d!%d.xml.gz", submitter, a.Policy.Domain, a.Begin.Unix(), a.End.Unix())
}

// Message is the mail that carries the report, RFC 9990 section 3.5.2.
func (a *Aggregate) Message(m Mailing) []byte {
	return m.write(letter{id: a.ID, domain: a.Policy.Domain, form: "multipart/mixed",
		about: fmt.Sprintf("This is a DMARC aggregate report (RFC 9990) about mail that claimed to come\r\nfrom %s, seen by %s\r\nbetween %s and %s.",
			a.Policy.Domain, m.Submitter, a.Begin.Format(time.RFC3339), a.End.Format(time.RFC3339)),
		media: "application/gzip", file: a.File(m.Submitter), packed: a.packed()})
}

// letter is what the mails around reports differ in.
type letter struct {
	id, domain  string
	form        string   // the media type of the whole, without its boundary
	fields      []string // further ones of the header
	about       string   // for people
	media, file string
	packed      []byte
}

// write writes the mail around a report. All of it is ASCII, with lines of at most
// 76 octets in the body.
func (m Mailing) write(l letter) []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	boundary := "=_" + l.id[:min(len(l.id), 40)]
	line("From: <%s>", m.From)
	line("To: <%s>", m.To)
	line("Date: %s", m.Date.Format(time.RFC1123Z))
	line("Subject: Report Domain: %s\r\n Submitter: %s\r\n Report-ID: <%s>", l.domain, m.Submitter, l.id)
	line("Message-ID: <%s.%x@%s>", l.id, hash(m.To.Key()), m.Submitter)
	line("Auto-Submitted: auto-generated")
	for _, f := range l.fields {
		line("%s", f)
	}
	line("MIME-Version: 1.0")
	line("Content-Type: %s; boundary=\"%s\"", l.form, boundary)
	line("")
	line("--%s", boundary)
	line("Content-Type: text/plain; charset=us-ascii")
	line("")
	line("%s", l.about)
	line("")
	line("--%s", boundary)
	line("Content-Type: %s; name=\"%s\"", l.media, l.file)
	line("Content-Disposition: attachment;\r\n filename=\"%s\"", l.file)
	line("Content-Transfer-Encoding: base64")
	line("")
	text := base64.StdEncoding.EncodeToString(l.packed)
	for len(text) > 76 {
		line("%s", text[:76])
		text = text[76:]
	}
	line("%s", text)
	line("--%s--", boundary)
	return b.Bytes()
}
