package spf

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/forepost/forepost/filters/internal/lately"
	"github.com/forepost/forepost/relay/dns"
)

// The limits of RFC 7208 section 4.6.4.
const (
	maxTerms = 10 // terms that ask the DNS
	maxVoids = 2  // questions that find nothing
	maxMX    = 10 // exchangers of one mx
	maxPTR   = 10 // names of the client that are looked at
)

// maxName is how long an expanded name may be, RFC 7208 section 7.3.
const maxName = 253

// Errors that make a permerror.
var (
	errTerms     = errors.New("the records ask for more than ten lookups (RFC 7208 section 4.6.4)")
	errVoids     = errors.New("more than two lookups found nothing (RFC 7208 section 4.6.4)")
	errMX        = errors.New("a domain has more than ten mail exchangers (RFC 7208 section 4.6.4)")
	errQuestions = errors.New("the records ask the DNS too much")
	errSeveral   = errors.New("there are several SPF records")
	errNoRecord  = errors.New("it has no SPF record")
)

// tempError is a failure of the DNS, which makes a temperror.
type tempError struct{ err error }

func (e tempError) Error() string { return e.err.Error() }
func (e tempError) Unwrap() error { return e.err }

// checker is one check of one identity: what macros stand for, and what was
// asked so far.
type checker struct {
	dns           dns.Resolver
	now           func() time.Time
	ip            netip.Addr // of the client, IPv4 unmapped
	local, sender string     // the parts of <sender>
	helo          string
	receiver      string // our own name

	left  int // questions that may still be asked, whatever the terms
	terms int
	voids int

	asked bool     // names are known
	names []string // of the client, confirmed
}

// outcome is the result of check_host, RFC 7208 section 2.6.
type outcome struct {
	result      string
	mechanism   string // that matched, "" for none
	explanation string // the domain's, for a fail
	err         error  // why there was a temperror or a permerror
}

// check is check_host() for the domain, RFC 7208 section 4.
func (c *checker) check(ctx context.Context, domain string) outcome {
	out, exp := c.host(ctx, domain)
	if out.result == "fail" && exp.spec != "" {
		out.explanation = c.explain(ctx, exp)
	}
	return out
}

// explanation is where the text for a fail is found.
type explanation struct{ spec, domain string }

func (c *checker) host(ctx context.Context, domain string) (outcome, explanation) {
	if !multiLabel(domain) {
		return outcome{result: "none", err: errors.New("there is no domain to ask")}, explanation{}
	}
	rec, err := c.record(ctx, domain)
	if err != nil {
		return failed(domain, err), explanation{}
	}
	for i := range rec.directives {
		d := &rec.directives[i]
		ok, err := c.matches(ctx, d, domain)
		if err != nil {
			return failed(d.text, err), explanation{}
		}
		if ok {
			return outcome{result: d.result, mechanism: d.text}, explanation{rec.exp, domain}
		}
	}
	if rec.redirect != "" {
		return c.redirect(ctx, rec.redirect, domain)
	}
	return outcome{result: "neutral"}, explanation{}
}

// failed is the outcome of an error.
func failed(where string, err error) outcome {
	out := outcome{result: "permerror", err: fmt.Errorf("%s: %w", where, err)}
	if err == errNoRecord {
		out.result = "none"
	} else if errors.As(err, new(tempError)) {
		out.result = "temperror"
	}
	return out
}

// multiLabel: RFC 7208 section 4.3 has the result none for other names.
func multiLabel(domain string) bool {
	return strings.IndexByte(strings.TrimSuffix(domain, "."), '.') > 0
}

// known are the records that were seen last.
var known = lately.New(parse)

// record finds the one record of a domain, RFC 7208 sections 4.4 and 4.5.
func (c *checker) record(ctx context.Context, domain string) (record, error) {
	if err := c.spend(); err != nil {
		return record{}, err
	}
	txts, err := dns.LookupTXT(ctx, c.dns, escaped(domain))
	if dns.IsTemporary(err) {
		return record{}, tempError{err}
	}
	text, n := "", 0
	for _, txt := range txts {
		if isRecord(txt) {
			text, n = txt, n+1
		}
	}
	switch n {
	case 0:
		return record{}, errNoRecord
	case 1:
		return known.Get(text)
	}
	return record{}, errSeveral
}

// redirect goes on with another record, whose exp counts: RFC 7208 section 6.1.
func (c *checker) redirect(ctx context.Context, spec, domain string) (outcome, explanation) {
	target, err := c.target(ctx, spec, domain)
	if err == nil {
		err = c.term()
	}
	if err != nil {
		return failed("redirect", err), explanation{}
	}
	out, exp := c.host(ctx, target)
	if out.result == "none" {
		return outcome{result: "permerror", err: fmt.Errorf("redirect: %w", out.err)}, explanation{}
	}
	return out, exp
}

// target is a domain-spec expanded: without the final dot, its left-most labels
// left out where it is too long (RFC 7208 section 7.3).
func (c *checker) target(ctx context.Context, spec, domain string) (string, error) {
	if spec == "" {
		return domain, nil
	}
	name, err := c.expand(ctx, spec, domain, false)
	name = strings.TrimSuffix(name, ".")
	for len(name) > maxName {
		_, rest, ok := strings.Cut(name, ".")
		if !ok {
			break
		}
		name = rest
	}
	return name, err
}

// term counts a term that asks the DNS.
func (c *checker) term() error {
	c.terms++
	if c.terms > maxTerms {
		return errTerms
	}
	return nil
}

// spend counts a question.
func (c *checker) spend() error {
	c.left--
	if c.left < 0 {
		return errQuestions
	}
	return nil
}

// escaped is a name as the resolver reads it: a backslash of a local part is an
// octet of a label like any other, not an escape.
func escaped(name string) string { return strings.ReplaceAll(name, `\`, `\\`) }
