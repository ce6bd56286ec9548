package dmarc

import (
	"context"
	"strings"
)

// Identity is a domain that SPF or DKIM vouched for.
type Identity struct {
	Method string // spf or dkim
	Domain string // lower case, A-labels
}

// Result is what DMARC says of a message.
type Result struct {
	Result string   // pass, fail, none, temperror
	Policy Policy   // what the domain asks for if the result is fail, t=y minded
	Domain string   // where the record stands, "" for none
	P      Policy   // the record's p=, whatever speaks for this author
	By     Identity // what aligned, where the result is pass

	Published   Policy // for this author: p, sp or np as it stands
	Disposition Policy // what the domain asks to be done with this message: Policy if the result is fail, else None
}

// evaluator knows the DNS.
type evaluator struct {
	txt    lookup
	exists func(ctx context.Context, domain string) bool
}

// evaluate is RFC 9989 sections 4.10 and 5.3 for the Author Domain. The error
// is set with the result temperror.
func (e evaluator) evaluate(ctx context.Context, author string, ids []Identity) (Result, error) {
	res := Result{Result: "none", Policy: None, Published: None, Disposition: None}
	w := &walker{txt: e.txt, seen: map[string]*Record{}}
	f, err := policyOf(ctx, w, author)
	if err != nil {
		res.Result = "temperror"
		return res, err
	}
	if f == nil {
		return res, nil
	}
	rec, ok := f.record.usable()
	if !ok {
		return res, nil
	}
	res.Domain, res.P = f.domain, rec.P
	res.Published = rec.forDomain(f.domain == author, func() bool { return e.exists(ctx, author) })
	res.Policy = rec.asks(res.Published)
	by, err := aligned(ctx, w, rec, author, ids)
	switch {
	case by != nil:
		res.Result, res.By = "pass", *by
	case err != nil:
		res.Result = "temperror"
	default:
		res.Result, res.Disposition = "fail", res.Policy
	}
	return res, err
}

// policyOf finds the record that applies: the Author Domain's own, its
// Organizational Domain's, or that of the public suffix above, RFC 9989 section
// 4.10.1.
func policyOf(ctx context.Context, w *walker, author string) (*found, error) {
	own, err := w.at(ctx, author)
	if err != nil {
		return nil, err
	}
	if own != nil {
		return &found{author, *own}, nil
	}
	fs, err := w.walk(ctx, author)
	if err != nil || len(fs) == 0 {
		return nil, err
	}
	org := organization(author, fs)
	for i := range fs {
		if fs[i].domain == org {
			return &fs[i], nil
		}
	}
	return &fs[len(fs)-1], nil // psd=y: the walk ended there
}

// aligned finds an identity in alignment with the Author Domain, RFC 9989
// section 4.10.2. An error of the DNS counts only if no other identity aligns.
func aligned(ctx context.Context, w *walker, rec Record, author string, ids []Identity) (*Identity, error) {
	var near []int // what a walk could show to be aligned
	for i, id := range ids {
		if id.Domain == author {
			return &ids[i], nil
		}
		strict := rec.StrictDKIM
		if id.Method == "spf" {
			strict = rec.StrictSPF
		}
		if !strict && sameTop(id.Domain, author) {
			near = append(near, i)
		}
	}
	if len(near) == 0 {
		return nil, nil
	}
	org, err := w.organization(ctx, author)
	if err != nil {
		return nil, err
	}
	var failed error
	for _, i := range near {
		// A domain's organization is above it or itself, so nobody else's domain
		// makes us ask: what a stranger signed with costs nothing here.
		if !within(ids[i].Domain, org) {
			continue
		}
		other, err := w.organization(ctx, ids[i].Domain)
		if err != nil {
			failed = err
		} else if other == org {
			return &ids[i], nil
		}
	}
	return nil, failed
}

// within tells whether domain is org or below it.
func within(domain, org string) bool {
	return domain == org || strings.HasSuffix(domain, "."+org)
}

// sameTop spares the walk for names that have no label in common.
func sameTop(a, b string) bool {
	return a[strings.LastIndexByte(a, '.')+1:] == b[strings.LastIndexByte(b, '.')+1:]
}
