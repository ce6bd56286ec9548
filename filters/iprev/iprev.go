// Package iprev tells the name of the client: the one that its address has in
// the DNS, if that name leads back to the address (RFC 8601 section 3).
package iprev

import (
	"context"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/pipeline"
)

// Kind describes the filter: what policies may ask of it, and when.
func Kind() filters.Kind {
	return filters.Kind{
		Name: "iprev",
		Root: "client", // its facts are client.name and client.fcrdns
		Doc:  "the name of the client in the reverse DNS, if it is confirmed",
		From: pipeline.Connect,
		Facts: pipeline.Schema{
			{Name: "name", Type: pipeline.String, Doc: "the confirmed name of the client, or nothing"},
			{Name: "fcrdns", Type: pipeline.Bool, Doc: "the client has such a name"},
		},
		Scope: pipeline.PerSession,
		Slow:  true,
		Build: func(_ any, d filters.Deps) (pipeline.Filter, error) { return filter{d.DNS}, nil },
	}
}

type filter struct{ dns dns.Resolver }

// Inspect asks the DNS. That there is no such name is a fact; only that nobody
// could tell is an error.
func (f filter) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	var err error
	name, result := tx.ClientName, "pass" // a trusted server in front of us has looked already
	if name == "" {
		name, err = dns.FCrDNS(ctx, f.dns, tx.Client)
	}
	switch {
	case dns.IsTemporary(err):
		result = "temperror"
	case err != nil:
		result, err = "fail", nil
	}
	return pipeline.Finding{
		Facts:  pipeline.Facts{"name": name, "fcrdns": name != ""},
		Reason: tx.Client.String() + " is " + orNobody(name),
		Auth: []pipeline.AuthResult{{
			Method: "iprev", Result: result,
			Props: []pipeline.Prop{{Name: "policy.iprev", Value: tx.Client.String()}},
		}},
	}, err
}

func orNobody(name string) string {
	if name == "" {
		return "nobody"
	}
	return name
}
