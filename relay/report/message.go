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

// Message is the mail that carries the report, RFC 9990 section 3.5.2. All of it
// is ASCII, with lines of at most 76 octets in the body.
func (a *Aggregate) Message(m Mailing) []byte {
	var b bytes.Buffer
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	boundary := "=_" + a.ID[:min(len(a.ID), 40)]
	file := a.File(m.Submitter)
	line("From: <%s>", m.From)
	line("To: <%s>", m.To)
	line("Date: %s", m.Date.Format(time.RFC1123Z))
	line("Subject: Report Domain: %s\r\n Submitter: %s\r\n Report-ID: <%s>", a.Policy.Domain, m.Submitter, a.ID)
	line("Message-ID: <%s.%x@%s>", a.ID, hash(m.To.Key()), m.Submitter)
	line("Auto-Submitted: auto-generated")
	line("MIME-Version: 1.0")
	line("Content-Type: multipart/mixed; boundary=\"%s\"", boundary)
	line("")
	line("--%s", boundary)
	line("Content-Type: text/plain; charset=us-ascii")
	line("")
	line("This is a DMARC aggregate report (RFC 9990) about mail that claimed to come")
	line("from %s, seen by %s", a.Policy.Domain, m.Submitter)
	line("between %s and %s.", a.Begin.Format(time.RFC3339), a.End.Format(time.RFC3339))
	line("")
	line("--%s", boundary)
	line("Content-Type: application/gzip; name=\"%s\"", file)
	line("Content-Disposition: attachment;\r\n filename=\"%s\"", file)
	line("Content-Transfer-Encoding: base64")
	line("")
	text := base64.StdEncoding.EncodeToString(a.packed())
	for len(text) > 76 {
		line("%s", text[:76])
		text = text[76:]
	}
	line("%s", text)
	line("--%s--", boundary)
	return b.Bytes()
}
