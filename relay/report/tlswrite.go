package report

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// JSON is the report as RFC 8460 section 4.4 has it.
func (t *TLS) JSON() []byte {
	type object map[string]any
	policies := []object{}
	for _, p := range t.Policies {
		policy := object{"policy-type": p.Type, "policy-domain": p.Domain}
		if len(p.Text) > 0 {
			policy["policy-string"] = p.Text
		}
		if len(p.MX) > 0 {
			policy["mx-host"] = p.MX
		}
		one := object{"policy": policy, "summary": object{"total-successful-session-count": p.Success, "total-failure-session-count": p.Failure}}
		var failures []object
		for _, f := range p.Failures {
			detail := object{"result-type": f.Type, "failed-session-count": f.Count}
			for name, value := range map[string]string{"sending-mta-ip": f.SendingIP, "receiving-mx-hostname": f.MX, "receiving-ip": f.Receiving, "failure-reason-code": f.Reason} {
				if value != "" {
					detail[name] = value
				}
			}
			failures = append(failures, detail)
		}
		if failures != nil {
			one["failure-details"] = failures
		}
		policies = append(policies, one)
	}
	b, err := json.Marshal(object{"organization-name": t.Org, "contact-info": t.Contact, "report-id": t.ID, "policies": policies,
		"date-range": object{"start-datetime": t.Begin.UTC().Format(time.RFC3339), "end-datetime": t.End.UTC().Format(time.RFC3339)}})
	if err != nil {
		panic(err) // strings and numbers: nothing that JSON could not say
	}
	return b
}

// TLSMedia is the media type of a packed report, RFC 8460 section 6.5.
const TLSMedia = "application/tlsrpt+gzip"

// Packed is the report as it travels.
func (t *TLS) Packed() []byte { return pack(t.JSON()) }

// Message is the mail that carries the report of a domain, RFC 8460 section 5.3. It
// is to arrive whatever is wrong with the TLS of who reads it (section 3), which
// RFC 8689 section 5 has a field for.
func (t *TLS) Message(m Mailing, domain string) []byte {
	return m.write(letter{id: t.ID, domain: domain, form: "multipart/report; report-type=\"tlsrpt\"",
		fields: []string{"TLS-Report-Domain: " + domain, "TLS-Report-Submitter: " + m.Submitter, "TLS-Required: No"},
		about: fmt.Sprintf("This is a TLS report (RFC 8460) about mail servers of %s, as %s\r\nmet them between %s and %s.", domain, m.Submitter,
			t.Begin.Format(time.RFC3339), t.End.Format(time.RFC3339)),
		media: TLSMedia, file: fmt.Sprintf("%s!%s!%d!%d.json.gz", m.Submitter, domain, t.Begin.Unix(), t.End.Unix()), packed: t.Packed()})
}

// TLSDestination is where a domain wants TLS reports: one of the two.
type TLSDestination struct {
	To  mail.Address
	URL string // https
}

// maxDestinations bounds how many of them count.
const maxDestinations = 5

// TLSDestinations reads the TXT records at _smtp._tls below a domain, RFC 8460
// section 3; none where there is not exactly one of this version. What cannot be
// used is passed over.
func TLSDestinations(records []string) (list []TLSDestination) {
	found := ""
	for _, r := range records {
		if v, _, more := strings.Cut(r, ";"); !more || strings.TrimRight(v, " \t") != "v=TLSRPTv1" {
			continue
		}
		if found != "" {
			return nil
		}
		found = r
	}
	for _, field := range strings.Split(found, ";") {
		name, value, _ := strings.Cut(strings.Trim(field, " \t"), "=")
		if strings.TrimRight(name, " \t") != "rua" {
			continue
		}
		for _, uri := range strings.Split(value, ",") {
			if d, ok := destination(strings.Trim(uri, " \t")); ok && len(list) < maxDestinations {
				list = append(list, d)
			}
		}
	}
	return list
}

func destination(uri string) (TLSDestination, bool) {
	u, err := url.Parse(uri)
	if err != nil {
		return TLSDestination{}, false
	}
	switch strings.ToLower(u.Scheme) {
	case "mailto":
		text, err := url.PathUnescape(u.Opaque)
		if err != nil {
			return TLSDestination{}, false
		}
		to, err := mail.ParseAddress(text, false)
		return TLSDestination{To: to}, err == nil && !to.IsNull() && !strings.HasPrefix(to.Domain, "[")
	case "https":
		return TLSDestination{URL: u.String()}, u.Hostname() != "" && u.User == nil
	}
	return TLSDestination{}, false
}
