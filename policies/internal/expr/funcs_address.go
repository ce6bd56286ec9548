package expr

import (
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"golang.org/x/net/publicsuffix"
)

func addressFunctions() []Function {
	return []Function{
		{Name: "own_domain", Result: Bool, Args: "(domain)", Doc: "the domain (or that of the address) has a domain block here", args: []types{isText}, make: makeOwnDomain},
		test2("subdomain_of", "(domain, parent)", "the domain is the parent or below it", subdomainOf),
		text1("org_domain", "(domain)", "the organizational domain: one label more than the public suffix", orgDomain),
		text1("domain_of", "(address)", "its domain, in lower case", domainOf),
		text1("local_of", "(address)", "its local part", localOf),
		text1("base_address", "(address)", "the address without +detail, in lower case", baseAddress),
	}
}

func makeOwnDomain(s *Scope, _ *hclsyntax.FunctionCallExpr, a []*Value) *Value {
	ours := s.Domains
	return &Value{Type: Bool, Bool: func(r *Run) Tri {
		t, known := a[0].Str(r)
		if !known {
			return Unknown
		}
		return truth(ours[domainOf(t)])
	}}
}

func subdomainOf(d, parent string) bool {
	d, parent = domainOf(d), strings.TrimPrefix(strings.ToLower(parent), ".")
	return parent != "" && (d == parent || strings.HasSuffix(d, "."+parent))
}

func orgDomain(d string) string {
	d = strings.TrimSuffix(domainOf(d), ".")
	if org, err := publicsuffix.EffectiveTLDPlusOne(d); err == nil {
		return org
	}
	return d
}

func localOf(a string) string {
	i := strings.LastIndexByte(a, '@')
	if i < 0 {
		return a
	}
	return a[:i]
}

func baseAddress(a string) string {
	i := strings.LastIndexByte(a, '@')
	if i < 0 {
		return strings.ToLower(a)
	}
	local, _, _ := strings.Cut(a[:i], "+")
	if local == "" { // "+x@d" is a local part, not a detail
		local = a[:i]
	}
	return strings.ToLower(local + a[i:])
}
