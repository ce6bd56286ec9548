// Package spf tells whether the client may send for the domain of the envelope
// sender, and for the name in HELO: RFC 7208.
package spf

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/internal/line"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// Settings are the filter's own.
type Settings struct {
	// ReceivedSPF puts the field of RFC 7208 section 9.1 on messages, beside
	// Authentication-Results, for readers that know only that one.
	ReceivedSPF bool `hcl:"received_spf"`
}

var words = []string{"none", "neutral", "pass", "fail", "softfail", "temperror", "permerror"}

// Kind describes the filter.
func Kind() filters.Kind {
	return filters.Kind{
		Name: "spf",
		Doc:  "whether the client may send for the domain of the envelope sender (RFC 7208)",
		From: pipeline.Mail,
		Facts: pipeline.Schema{
			{Name: "result", Type: pipeline.String, Words: words, Doc: "the result of RFC 7208 section 2.6"},
			{Name: "domain", Type: pipeline.String, Doc: "the domain that was asked: of MAIL FROM, or of HELO where that is empty"},
			{Name: "mechanism", Type: pipeline.String, Doc: "the mechanism that matched, as it stands in the record; nothing where none did"},
			{Name: "explanation", Type: pipeline.String, Doc: "the domain's own text for a fail (exp=)"},
			{Name: "helo_result", Type: pipeline.String, Words: words, Doc: "the result for the name in HELO"},
		},
		Scope:    pipeline.PerMessage,
		Slow:     true,
		Settings: func() any { return &Settings{} },
		Build:    build,
	}
}

func build(settings any, d filters.Deps) (pipeline.Filter, error) {
	now := d.Now
	if now == nil {
		now = time.Now
	}
	return &filter{d.DNS, now, d.Hostname, settings.(*Settings).ReceivedSPF}, nil
}

type filter struct {
	dns      dns.Resolver
	now      func() time.Time
	hostname string
	field    bool // add Received-SPF
}

// How many questions the two identities may cost, whatever their terms. MAIL
// FROM's is what the limits of RFC 7208 allow: its record, ten mx of ten hosts,
// the names of the client, the explanation. HELO's comes on top of that and is
// tight: who publishes a record for a host name needs "a -all".
const (
	mailQuestions = 123
	heloQuestions = 20
)

// identity is one of the two that RFC 7208 section 2.2 knows.
type identity struct {
	prop          string // its name in Authentication-Results
	local, domain string
}

// Inspect checks MAIL FROM, or the HELO name for the null path (RFC 7208 section
// 2.4), and then HELO. A HELO that could not be told is no error: it must not
// keep the result of MAIL FROM from the policy.
func (f *filter) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	hi := identity{"smtp.helo", "postmaster", heloDomain(tx.Helo)}
	id := hi
	if !tx.From.IsNull() {
		id = identity{"smtp.mailfrom", tx.From.Local, tx.From.Domain}
	}
	out := f.check(ctx, tx, id, mailQuestions)
	helo := out
	if id != hi {
		helo = f.check(ctx, tx, hi, heloQuestions)
	}
	fd := finding(id, out)
	fd.Facts["helo_result"] = helo.result
	if f.field {
		fd.Fields = []mail.Field{f.received(tx, id, out)}
	}
	if out.result == "temperror" {
		return fd, out.err
	}
	return fd, nil
}

func (f *filter) check(ctx context.Context, tx *pipeline.Transaction, id identity, questions int) outcome {
	if !tx.Client.IsValid() || id.domain == "" || id.domain[0] == '[' {
		return outcome{result: "none", err: errors.New("there is no domain to ask")}
	}
	local := id.local
	if local == "" {
		local = "postmaster" // RFC 7208 section 4.3
	}
	c := checker{
		dns: f.dns, now: f.now, ip: tx.Client.Unmap().WithZone(""), left: questions,
		local: local, sender: id.domain, helo: tx.Helo, receiver: f.hostname,
	}
	return c.check(ctx, id.domain)
}

// heloDomain is the HELO name where it can be a domain; what cannot has the
// result none (RFC 7208 section 4.3).
func heloDomain(name string) string {
	d, err := mail.ParseDomain(strings.TrimSuffix(name, "."))
	if err != nil || d[0] == '[' || !strings.Contains(d, ".") {
		return ""
	}
	return d
}

func finding(id identity, out outcome) pipeline.Finding {
	auth := pipeline.AuthResult{Method: "spf", Result: out.result}
	if id.domain != "" {
		auth.Props = []pipeline.Prop{{Name: id.prop, Value: id.domain}}
	}
	return pipeline.Finding{
		Facts: pipeline.Facts{
			"result": out.result, "domain": id.domain, "mechanism": line.Clean(out.mechanism), "explanation": line.Clean(out.explanation),
		},
		Reason: line.Clean(id.domain + ": " + out.reason()),
		Auth:   []pipeline.AuthResult{auth},
	}
}

// reason is the outcome in words.
func (o outcome) reason() string {
	switch {
	case o.err != nil:
		return o.err.Error()
	case o.mechanism != "":
		return o.mechanism + " matches"
	}
	return "no mechanism matches"
}
