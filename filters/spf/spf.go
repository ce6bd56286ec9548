// Package spf tells whether the client may send for the domain of the envelope
// sender: RFC 7208, evaluated by blitiri.com.ar/go/spf over our own resolver.
package spf

import (
	"context"
	"errors"
	"net"
	"strings"

	"blitiri.com.ar/go/spf"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/internal/line"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// Kind describes the filter.
func Kind() filters.Kind {
	return filters.Kind{
		Name: "spf",
		Doc:  "whether the client may send for the domain of the envelope sender (RFC 7208)",
		From: pipeline.Mail,
		Facts: pipeline.Schema{
			{Name: "result", Type: pipeline.String, Words: []string{"none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"}, Doc: "the result of RFC 7208 section 2.6"},
			{Name: "domain", Type: pipeline.String, Doc: "the domain that was asked: of MAIL FROM, or of HELO where that is empty"},
		},
		Scope: pipeline.PerMessage,
		Slow:  true,
		Build: func(_ any, d filters.Deps) (pipeline.Filter, error) { return filter{d.DNS}, nil },
	}
}

type filter struct{ dns dns.Resolver }

// Inspect evaluates the record of MAIL FROM's domain, or of the HELO name for
// the null path (RFC 7208 section 2.4).
func (f filter) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	prop, domain, local := "smtp.mailfrom", tx.From.Domain, tx.From.Local
	if tx.From.IsNull() {
		prop, domain, local = "smtp.helo", helo(tx.Helo), "postmaster"
	}
	if !tx.Client.IsValid() || domain == "" || domain[0] == '[' {
		return finding(spf.None, prop, domain, "there is no domain to ask"), nil
	}
	ip := net.IP(tx.Client.Unmap().AsSlice())
	res, why := spf.CheckHostWithSender(ip, tx.Helo, sender(local, domain),
		spf.WithContext(ctx), spf.WithResolver(&resolver{f.dns, tx.Client.Unmap().Is4()}))
	text := ""
	if why != nil {
		text = why.Error()
	}
	fd := finding(res, prop, domain, text)
	if res == spf.TempError {
		if why == nil {
			why = errors.New("spf: the DNS could not tell")
		}
		return fd, why
	}
	return fd, nil
}

// sender is the address for the library, which parts it at the first @: one in
// a quoted local part must not be taken for the beginning of the domain.
func sender(local, domain string) string {
	if local == "" {
		local = "postmaster" // RFC 7208 section 4.3
	}
	return strings.ReplaceAll(local, "@", "_") + "@" + domain
}

// helo is the HELO name where it can be a domain; what cannot has the result
// none (RFC 7208 section 4.3).
func helo(name string) string {
	d, err := mail.ParseDomain(strings.TrimSuffix(name, "."))
	if err != nil || d[0] == '[' || !strings.Contains(d, ".") {
		return ""
	}
	return d
}

func finding(res spf.Result, prop, domain, why string) pipeline.Finding {
	auth := pipeline.AuthResult{Method: "spf", Result: string(res)}
	if domain != "" {
		auth.Props = []pipeline.Prop{{Name: prop, Value: domain}}
	}
	return pipeline.Finding{
		Facts:  pipeline.Facts{"result": string(res), "domain": domain},
		Reason: line.Clean(domain + ": " + why),
		Auth:   []pipeline.AuthResult{auth},
	}
}
