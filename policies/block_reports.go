package policies

import (
	"github.com/forepost/forepost/policies/internal/diag"
	"github.com/forepost/forepost/relay/mail"
)

// Reports is the `reports` block: DMARC aggregate reports about the mail that
// comes in, TLS reports about the connections that it goes out over, and the reports
// of others about ours.
type Reports struct {
	DMARC bool         // send aggregate reports
	TLS   bool         // send TLS reports
	From  mail.Address // their sender
	Org   string       // who reports; default: the domain of From
	// Domains are those of ours whose incoming mail is reported; default: all.
	Domains []string
	Read    []mail.Address // addresses here that the reports of others come to
}

// reports reads the block. All of it is off by default.
func (l *loader) reports() {
	b := l.single("reports")
	if b == nil {
		return
	}
	r := &l.set.Reports
	r.DMARC = b.boolean("dmarc", false)
	r.TLS = b.boolean("tls", false)
	if r.DMARC || r.TLS {
		b.require("from", "Write from = \"dmarc-reports@example.com\": an address of a domain here, with a DKIM key.")
	}
	r.From = l.reporter(b)
	r.Org = b.text("org", r.From.Domain)
	r.Domains = b.texts("domains")
	if len(r.Domains) == 0 {
		for _, d := range l.set.Domains {
			r.Domains = append(r.Domains, d.Name)
		}
	}
	for _, d := range r.Domains {
		l.declared(b, "domains", d)
	}
	r.Read = b.addresses("read")
	for _, a := range r.Read {
		l.declared(b, "read", a.Domain)
	}
	b.done()
}

// reporter reads `from`, one address of a domain here.
func (l *loader) reporter(b *body) mail.Address {
	s := b.text("from", "")
	if s == "" {
		return mail.Address{}
	}
	a, err := mail.ParseAddress(s, false)
	if err != nil || a.IsNull() {
		b.bad("from", "\""+s+"\" is no mail address.", "Write from = \"dmarc-reports@example.com\".")
		return mail.Address{}
	}
	l.declared(b, "from", a.Domain)
	return a
}

// declared reports a domain that no block declares.
func (l *loader) declared(b *body, name, domain string) {
	if !l.env.Domains[domain] {
		l.bag.Error(diag.UnknownReference, b.rangeOf(name), "The domain "+domain+" is not declared.", diag.DidYouMean(domain, keysOf(l.env.Domains)))
	}
}
