// Package dkim verifies the DKIM signatures of a message (RFC 6376, 8301,
// 8463) and signs what leaves. go-msgauth does the cryptography; what it does
// not look at (limits, key flags, fields added after signing) is looked at here.
package dkim

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/internal/canon"
	"github.com/forepost/forepost/filters/internal/line"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/pipeline"
)

// Kind describes the filter.
func Kind() filters.Kind {
	return filters.Kind{
		Name: "dkim",
		Doc:  "whether signatures of domains stand and are true (RFC 6376)",
		From: pipeline.Data,
		Facts: pipeline.Schema{
			{Name: "result", Type: pipeline.String, Words: rank, Doc: "the best result of the signatures, none where there is no signature"},
			{Name: "domains", Type: pipeline.Strings, Doc: "the domains whose signatures passed"},
			{Name: "selectors", Type: pipeline.Strings, Doc: "their selectors, in the same order"},
			{Name: "algorithms", Type: pipeline.Strings, Doc: "their algorithms, in the same order: rsa-sha256, ed25519-sha256"},
			{Name: "key_bits", Type: pipeline.Number, Doc: "the bits of the shortest RSA key among them, 0 where there is none"},
			{Name: "signature", Type: pipeline.String, Doc: "the first that passed, shortened: the same for all copies of a message, a key for limits against replay"},
		},
		Scope: pipeline.PerMessage,
		Slow:  true,
		Build: func(_ any, d filters.Deps) (pipeline.Filter, error) { return filter{d.DNS, d.Now}, nil },
	}
}

// rank has the results of RFC 8601 section 2.7.1, the best first.
var rank = []string{"pass", "temperror", "fail", "policy", "neutral", "permerror", "none"}

type filter struct {
	dns dns.Resolver
	now func() time.Time
}

// Inspect verifies the first signatures of the message, side by side.
func (f filter) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	sigs, why := signatures(tx.Part)
	if why != "" {
		return refused(why), nil
	}
	if len(sigs) == 0 {
		return pipeline.Finding{
			Facts: pipeline.Facts{"result": "none"}, Reason: "no signature",
			Auth: []pipeline.AuthResult{{Method: "dkim", Result: "none"}},
		}, nil
	}
	l, err := open(tx.Message, tx.Part)
	if err != nil {
		return pipeline.Finding{Facts: pipeline.Facts{"result": "temperror"}}, fmt.Errorf("dkim: the message could not be read: %w", err)
	}
	defer l.r.Close()
	outcomes := make([]outcome, len(sigs))
	var wg sync.WaitGroup
	for i, s := range sigs {
		if i == len(sigs)-1 { // most messages have one: no other goroutine is worth it
			outcomes[i] = f.verify(ctx, l, s)
			break
		}
		wg.Go(func() { outcomes[i] = f.verify(ctx, l, s) })
	}
	wg.Wait()
	return finding(outcomes)
}

// outcome is what one signature came to. err is set where it could not be told.
type outcome struct {
	sig    signature
	key    canon.Key // that was found
	result string
	why    string
	err    error
}

func finding(outcomes []outcome) (pipeline.Finding, error) {
	fd := pipeline.Finding{}
	best := outcomes[0]
	var domains, selectors, algorithms, reasons []string
	bits, signature := 0, ""
	for _, o := range outcomes {
		if slices.Index(rank, o.result) < slices.Index(rank, best.result) {
			best = o
		}
		if o.result == "pass" {
			domains, selectors = append(domains, o.sig.domain), append(selectors, o.sig.selector)
			algorithms = append(algorithms, o.sig.algorithm)
			if signature == "" {
				signature = o.sig.domain + "/" + o.sig.b[:min(len(o.sig.b), 32)]
			}
			if o.key.Kind == "rsa" && (bits == 0 || o.key.Bits < bits) {
				bits = o.key.Bits
			}
		}
		reasons = append(reasons, strings.TrimSpace(o.sig.domain+"/"+o.sig.selector+" "+o.result+" "+o.why))
		fd.Auth = append(fd.Auth, o.auth())
	}
	fd.Facts = pipeline.Facts{"result": best.result, "domains": domains, "selectors": selectors,
		"algorithms": algorithms, "key_bits": float64(bits), "signature": signature}
	fd.Reason = line.Clean(strings.Join(reasons, "; "))
	if best.result == "temperror" {
		return fd, best.err
	}
	return fd, nil
}

// auth is the outcome for Authentication-Results: RFC 8601 section 2.7.1, RFC
// 6008 (header.b), RFC 8616 knows header.a and header.s.
func (o outcome) auth() pipeline.AuthResult {
	r := pipeline.AuthResult{Method: "dkim", Result: o.result}
	if o.result != "pass" {
		r.Reason = o.why
	}
	b := o.sig.b
	for _, p := range []pipeline.Prop{
		{Name: "header.d", Value: o.sig.domain},
		{Name: "header.s", Value: o.sig.selector},
		{Name: "header.a", Value: o.sig.algorithm},
		{Name: "header.b", Value: b[:min(len(b), 8)]},
	} {
		if p.Value != "" {
			r.Props = append(r.Props, p)
		}
	}
	return r
}

// refused is the finding about a message whose signatures were not looked at.
func refused(why string) pipeline.Finding {
	return pipeline.Finding{
		Facts: pipeline.Facts{"result": "policy"}, Reason: why,
		Auth: []pipeline.AuthResult{{Method: "dkim", Result: "policy", Reason: why}},
	}
}
