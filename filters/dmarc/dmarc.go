// Package dmarc tells whether the domain in the From field vouches for the
// message, and what it asks receivers to do if not: RFC 9989, which understands
// the records of RFC 7489.
package dmarc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// Kind describes the filter.
func Kind() filters.Kind {
	return filters.Kind{
		Name: "dmarc",
		Doc:  "whether SPF or DKIM vouches for the domain of the From field (RFC 9989)",
		From: pipeline.Data,
		Facts: pipeline.Schema{
			{Name: "result", Type: pipeline.String, Words: []string{"pass", "fail", "none", "temperror", "permerror"}, Doc: "none: the domain publishes no policy; permerror: there is not exactly one author"},
			{Name: "policy", Type: pipeline.String, Words: []string{"none", "quarantine", "reject"}, Doc: "what the domain asks for where the result is fail: one level less than published with t=y"},
			{Name: "published", Type: pipeline.String, Words: []string{"none", "quarantine", "reject"}, Doc: "the policy as it stands in the record for this author: p, sp or np"},
			{Name: "disposition", Type: pipeline.String, Words: []string{"none", "quarantine", "reject"}, Doc: "what the domain asks to be done with this message: the policy where the result is fail, else none"},
			{Name: "domain", Type: pipeline.String, Doc: "the author's domain"},
			{Name: "override", Type: pipeline.String, Words: []string{noOverride, trustedARC, trustedForwarder, localPolicy}, Doc: "a reason not to follow the policy where the result is fail: a chain of ARC that is trusted says that DMARC passed, or the settings forwarders or exempt"},
		},
		Needs:    []string{"spf", "dkim"},
		Scope:    pipeline.PerMessage,
		Slow:     true,
		Settings: func() any { return &Settings{} },
		Build: func(settings any, d filters.Deps) (pipeline.Filter, error) {
			t, err := readTrust(settings.(*Settings))
			return filter{d.DNS, t}, err
		},
	}
}

type filter struct {
	dns   dns.Resolver
	trust trust
}

// Inspect reads what SPF and DKIM found and asks for the author's policy.
func (f filter) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	author, err := authorDomain(tx.Part)
	if errors.Is(err, errNoFrom) {
		return finding(noAuthor("none"), "", err.Error()), nil
	}
	if err != nil {
		return finding(noAuthor("permerror"), "", err.Error()), nil
	}
	ids, doubt := identities(ctx, tx)
	res, err := f.evaluator().evaluate(ctx, author, ids)
	if err == nil && res.Result == "fail" && doubt != nil {
		res.Result, res.Disposition, err = "temperror", None, doubt // what could not tell might have passed
	}
	fd := finding(res, author, res.reason(author))
	if res.Result == "fail" {
		why := f.trust.override(ctx, tx, author, ids)
		fd.Facts["override"] = why
		if why != noOverride {
			fd.Reason += "; there is a reason not to follow it: " + why
		}
	}
	return fd, err
}

func noAuthor(result string) Result {
	return Result{Result: result, Policy: None, Published: None, Disposition: None}
}

func (f filter) evaluator() evaluator {
	return evaluator{
		txt: func(ctx context.Context, name string) ([]string, error) {
			txts, err := dns.LookupTXT(ctx, f.dns, name)
			if dns.IsNotFound(err) {
				return nil, nil
			}
			return txts, err
		},
		exists: func(ctx context.Context, domain string) bool {
			// RFC 8020: a name does not exist where the answer is NXDOMAIN,
			// whatever was asked for.
			_, err := dns.LookupA(ctx, f.dns, domain)
			var e *dns.Error
			return !errors.As(err, &e) || e.Kind != dns.NXDomain
		},
	}
}

// identities are the domains that passed. doubt is set where SPF or DKIM could
// not tell.
func identities(ctx context.Context, tx *pipeline.Transaction) (ids []Identity, doubt error) {
	for _, name := range []string{"spf", "dkim"} {
		fd, err := tx.Ask(ctx, name)
		if err != nil {
			doubt = err
		}
		for _, a := range fd.Auth {
			if d := vouched(a); d != "" {
				ids = append(ids, Identity{a.Method, d})
			}
		}
	}
	return ids, doubt
}

// vouched is the domain that a passing result speaks for. SPF's is that of MAIL
// FROM; the HELO name only where there is no MAIL FROM (RFC 9989 section 4.4.2),
// and then SPF reports nothing else.
func vouched(a pipeline.AuthResult) string {
	if a.Result != "pass" {
		return ""
	}
	for _, p := range a.Props {
		switch {
		case a.Method == "spf" && (p.Name == "smtp.mailfrom" || p.Name == "smtp.helo"),
			a.Method == "dkim" && p.Name == "header.d":
			d, err := mail.ParseDomain(p.Value[strings.LastIndexByte(p.Value, '@')+1:])
			if err != nil {
				return ""
			}
			return d
		}
	}
	return ""
}

func (r Result) reason(author string) string {
	switch r.Result {
	case "pass":
		return fmt.Sprintf("%s of %s vouches for %s", r.By.Method, r.By.Domain, author)
	case "fail":
		return fmt.Sprintf("nothing vouches for %s; %s asks for %s", author, r.Domain, r.Disposition)
	case "none":
		return author + " publishes no policy"
	}
	return "the policy of " + author + " could not be asked for"
}

func finding(r Result, author, reason string) pipeline.Finding {
	auth := pipeline.AuthResult{Method: "dmarc", Result: r.Result}
	if author != "" {
		auth.Props = append(auth.Props, pipeline.Prop{Name: "header.from", Value: author})
	} else {
		auth.Reason = reason
	}
	if r.Domain != "" {
		auth.Props = append(auth.Props, pipeline.Prop{Name: "polrec.p", Value: string(r.P)})
	}
	if r.Domain != "" && r.Domain != author {
		auth.Props = append(auth.Props, pipeline.Prop{Name: "polrec.domain", Value: r.Domain})
	}
	return pipeline.Finding{
		Facts: pipeline.Facts{
			"result": r.Result, "domain": author, "override": noOverride,
			"policy": string(r.Policy), "published": string(r.Published), "disposition": string(r.Disposition),
		},
		Reason: reason,
		Auth:   []pipeline.AuthResult{auth},
	}
}
