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
	Policy Policy   // what the domain asks for if the result is fail
	Asked  Policy   // the same before t=y takes a level off it
	Domain string   // where the record stands, "" for none
	P      Policy   // the record's p=, whatever speaks for this author
	By     Identity // what aligned, where the result is pass
}

// evaluator knows the DNS.
type evaluator struct {
	txt    lookup
	exists func(ctx context.Context, domain string) bool
}

// evaluate is RFC 9989 sections 4.10 and 5.3 for the Author Domain. The error
// is set with the result temperror.
func (e evaluator) evaluate(ctx context.Context, author string, ids []Identity) (Result, error) {
	w := &walker{txt: e.txt, seen: map[string]*Record{}}
	f, err := policyOf(ctx, w, author)
	if err != nil {
		return Result{Result: "temperror", Policy: None}, err
	}
	if f == nil {
		return Result{Result: "none", Policy: None}, nil
	}
	rec, ok := f.record.usable()
	if !ok {
		return Result{Result: "none", Policy: None}, nil
	}
	res := Result{Result: "fail", Domain: f.domain, P: rec.P}
	res.Asked = rec.forDomain(f.domain == author, func() bool { return e.exists(ctx, author) })
	if res.Policy = res.Asked; rec.Testing {
		res.Policy = res.Asked.weaker()
	}
	by, err := aligned(ctx, w, rec, author, ids)
	switch {
	case by != nil:
		res.Result, res.By = "pass", *by
	case err != nil:
		res.Result = "temperror"
		return res, err
	}
	return res, nil
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
	for i, id := range ids {
		if id.Domain == author {
			return &ids[i], nil
		}
	}
	var failed error
	for i, id := range ids {
		strict := rec.StrictDKIM
		if id.Method == "spf" {
			strict = rec.StrictSPF
		}
		if strict || !sameTop(id.Domain, author) {
			continue
		}
		same, err := sameOrganization(ctx, w, id.Domain, author)
		if same {
			return &ids[i], nil
		}
		if err != nil {
			failed = err
		}
	}
	return nil, failed
}

func sameOrganization(ctx context.Context, w *walker, a, b string) (bool, error) {
	fa, err := w.walk(ctx, a)
	if err != nil {
		return false, err
	}
	fb, err := w.walk(ctx, b)
	if err != nil {
		return false, err
	}
	return organization(a, fa) == organization(b, fb), nil
}

// sameTop spares the walks for names that have no label in common.
func sameTop(a, b string) bool {
	return a[strings.LastIndexByte(a, '.')+1:] == b[strings.LastIndexByte(b, '.')+1:]
}
