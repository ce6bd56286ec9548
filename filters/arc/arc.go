// Package arc follows the chain of those who handed a message on and say what
// they found (RFC 8617): it validates the chain, and adds a link of our own.
package arc

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/internal/line"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

// Settings are the filter's.
type Settings struct {
	Trusted []string `hcl:"trusted"` // domains whose seals are believed; a domain stands for itself alone
}

// Kind describes the filter.
func Kind() filters.Kind {
	return filters.Kind{
		Name: "arc",
		Doc:  "what those say who handed the message on, and whether they are believed (RFC 8617)",
		From: pipeline.Data,
		Facts: pipeline.Schema{
			{Name: "result", Type: pipeline.String, Words: []string{"none", "pass", "fail"}, Doc: "whether the chain of seals is whole; it says nothing about who sealed"},
			{Name: "chain", Type: pipeline.Number, Doc: "how many links the chain has, whole or not"},
			{Name: "sealers", Type: pipeline.Strings, Doc: "the domains that sealed a chain that is whole, the first one first"},
			{Name: "selectors", Type: pipeline.Strings, Doc: "the selectors of their keys, in the same order"},
			{Name: "trusted", Type: pipeline.Bool, Doc: "the chain is whole, all its sealers are trusted ones, and the last of them signed the From field"},
			{Name: "dmarc", Type: pipeline.String, Words: []string{"none", "pass", "fail", "temperror", "permerror"}, Doc: "what the first sealer found of DMARC; none unless the chain is trusted"},
		},
		Scope:    pipeline.PerMessage,
		Slow:     true,
		Settings: func() any { return &Settings{} },
		Build:    build,
	}
}

type filter struct {
	dns     dns.Resolver
	trusted map[string]bool
}

func build(settings any, d filters.Deps) (pipeline.Filter, error) {
	f := filter{d.DNS, map[string]bool{}}
	for _, t := range settings.(*Settings).Trusted {
		domain, err := mail.ParseDomain(strings.ToLower(t))
		if err != nil || domain[0] == '[' {
			return nil, fmt.Errorf("trusted: %q is not a domain name", t)
		}
		f.trusted[domain] = true
	}
	return f, nil
}

// Inspect validates the chain of the message.
func (f filter) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	if tx.Part == nil {
		return pipeline.Finding{}, errors.New("arc: there is no message yet")
	}
	c, why := chainOf(tx.Part)
	if len(c) == 0 && why == "" {
		return finding(nil, "none", "nobody sealed the message"), nil
	}
	var err error
	if why == "" {
		why, err = f.validate(ctx, tx, c)
	}
	if err != nil {
		return finding(c, "fail", "a key could not be asked for"), fmt.Errorf("arc: %w", err)
	}
	if why != "" {
		return finding(c, "fail", why), nil
	}
	return f.whole(c, tx.Part), nil
}

// whole is the finding about a chain that is whole.
func (f filter) whole(c chain, p *mime.Part) pipeline.Finding {
	fd := finding(c, "pass", fmt.Sprintf("%d whole links", len(c)))
	var sealers, selectors []string
	trusted := c[len(c)-1].signsAuthor(p)
	for _, l := range c {
		domain := strings.ToLower(l.seal.tags["d"])
		sealers, selectors = append(sealers, domain), append(selectors, l.seal.tags["s"])
		trusted = trusted && f.trusted[domain]
	}
	fd.Facts["sealers"], fd.Facts["selectors"], fd.Facts["trusted"] = sealers, selectors, trusted
	if trusted {
		fd.Facts["dmarc"] = dmarcOf(c[0].results.Raw)
	}
	fd.Reason = line.Clean(fd.Reason + " by " + strings.Join(sealers, ", "))
	return fd
}

func finding(c chain, result, why string) pipeline.Finding {
	auth := pipeline.AuthResult{Method: "arc", Result: result}
	if result == "fail" {
		auth.Reason = why
	}
	return pipeline.Finding{
		Facts:  pipeline.Facts{"result": result, "chain": float64(len(c)), "dmarc": "none"},
		Reason: line.Clean(why),
		Auth:   []pipeline.AuthResult{auth},
	}
}
