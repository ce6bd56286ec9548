package reports

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/forepost/forepost/filters/dmarc"
	"github.com/forepost/forepost/relay/report"
)

// parcel is the report of one Policy Domain in the making.
type parcel struct {
	report *report.Aggregate
	policy *dmarc.Published
}

// parcels makes the day's reports. The policies are asked for now, in the
// background, with the answers that the cache may still have; alignment is
// reckoned with them. later counts authors of whom the DNS could not tell.
func (s *Service) parcels(ctx context.Context, cfg Config, begin time.Time, rows map[row]int) (list []*parcel, later int) {
	byAuthor := map[string][]row{}
	for r := range rows {
		byAuthor[r.author] = append(byAuthor[r.author], r)
	}
	byDomain := map[string]*parcel{}
	for _, author := range sorted(byAuthor) {
		p, err := dmarc.Lookup(ctx, cfg.DNS, author)
		if err != nil {
			later++
			continue
		}
		if p == nil || p.Record.RUA == "" {
			continue
		}
		one := byDomain[p.Domain]
		if one == nil {
			one = &parcel{s.empty(cfg, p, begin), p}
			byDomain[p.Domain] = one
			list = append(list, one)
		}
		for _, r := range byAuthor[author] {
			one.report.Records = append(one.report.Records, recordOf(ctx, p, r, rows[r]))
		}
	}
	for _, p := range list {
		slices.SortFunc(p.report.Records, func(a, b report.Record) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.IP, b.IP), cmp.Compare(a.HeaderFrom, b.HeaderFrom))
		})
	}
	return list, later
}

func sorted[V any](m map[string]V) (keys []string) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// empty is a report without records. Its ID is the same whenever it is made, so
// that who gets it twice can tell (RFC 9990 section 3.5.1).
func (s *Service) empty(cfg Config, p *dmarc.Published, begin time.Time) *report.Aggregate {
	rec := p.Record
	return &report.Aggregate{
		Org: cfg.Org, Email: cfg.From.String(), Generator: "Forepost " + s.o.Version,
		ID:    fmt.Sprintf("%d.%s@%s", begin.Unix(), p.Domain, cfg.From.Domain),
		Begin: begin, End: begin.Add(day - time.Second),
		Policy: report.Policy{Domain: p.Domain, Method: "treewalk", P: string(rec.P), SP: string(rec.SP), NP: string(rec.NP),
			ADKIM: mode(rec.StrictDKIM), ASPF: mode(rec.StrictSPF), Testing: map[bool]string{true: "y", false: "n"}[rec.Testing]},
	}
}

func mode(strict bool) string {
	if strict {
		return "s"
	}
	return "r"
}

// recordOf is one record of a report.
func recordOf(ctx context.Context, p *dmarc.Published, r row, n int) report.Record {
	out := report.Record{IP: r.ip, Count: n, Disposition: r.done, DKIM: "fail", SPF: "fail", HeaderFrom: r.author, EnvelopeFrom: r.from}
	for _, s := range strings.Fields(r.dkim) {
		f := strings.SplitN(s, "/", 3)
		out.Auth = append(out.Auth, report.Auth{Method: "dkim", Domain: f[0], Selector: f[1], Result: f[2]})
		if f[2] == "pass" && aligned(ctx, p, "dkim", f[0]) {
			out.DKIM = "pass"
		}
	}
	if r.spf != "" {
		out.Auth = append(out.Auth, report.Auth{Method: "spf", Domain: r.spfFor, Scope: "mfrom", Result: r.spf})
	}
	if r.spf == "pass" && aligned(ctx, p, "spf", r.spfFor) {
		out.SPF = "pass"
	}
	switch {
	case r.pass:
		out.Disposition = "pass" // what else was found in the message is nobody's business
	case r.done != r.asked:
		out.Reasons = append(out.Reasons, reasonOf(r))
	case r.testing:
		out.Reasons = append(out.Reasons, report.Reason{Type: "policy_test_mode"})
	}
	return out
}

// reasonOf is why something else was done than the domain asked for. A chain of
// ARC is reported as RFC 8617 section 7.2.2 has it; what the policy decided for
// reasons of its own is local_policy.
func reasonOf(r row) report.Reason {
	switch r.why {
	case "trusted_arc":
		return report.Reason{Type: "local_policy", Comment: r.chain}
	case "trusted_forwarder":
		return report.Reason{Type: r.why}
	}
	return report.Reason{Type: "local_policy"}
}

// aligned tells whether a domain that passed is aligned; where the DNS cannot
// tell by now, it is not.
func aligned(ctx context.Context, p *dmarc.Published, method, domain string) bool {
	ok, err := p.Aligned(ctx, dmarc.Identity{Method: method, Domain: domain})
	return ok && err == nil
}
