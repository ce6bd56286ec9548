package reports

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/trail"
)

// row is what messages have in common that one line of a report counts. It says
// nothing about people: RFC 9990 section 7.
type row struct {
	author, ip  string
	from        string // the domain of MAIL FROM
	spf, spfFor string
	dkim        string // domain/selector/result, with spaces between
	asked, done string // dispositions
	pass        bool
	testing     bool   // less was asked for than is published
	why         string // a reason not to follow the policy, of dmarc.override
	chain       string // who sealed, where that is the reason: RFC 8617 section 7.2.2
}

// maxRows bounds the lines of a day, whatever strangers send: some 100 MiB.
const maxRows = 200_000

// collect reads the day from the trail: what was decided is all there, over
// restarts too, and receiving mail pays nothing for it.
func collect(ctx context.Context, t *trail.Trail, begin time.Time, about func(string) bool) (rows map[row]int, left int, err error) {
	rows = map[row]int{}
	err = t.Each(ctx, begin, begin.Add(day), func(r *trail.Record) error {
		one, ok := rowOf(r, about)
		if !ok {
			return ctx.Err()
		}
		if _, known := rows[one]; !known && len(rows) >= maxRows {
			left++
			return ctx.Err()
		}
		rows[one]++
		return ctx.Err()
	})
	return rows, left, err
}

// rowOf is the line for a message; ok is false for what is not reported: mail of
// our own users, mail for others, mail without a DMARC result or without an end
// (a deferred message comes again).
func rowOf(r *trail.Record, about func(string) bool) (one row, ok bool) {
	d := factsOf(r, "dmarc")
	result := text(d, "result")
	if r.Auth != "" || result != "pass" && result != "fail" || r.Client.IP == "" || !slices.ContainsFunc(r.To, func(to string) bool { return about(domainOf(to)) }) {
		return one, false
	}
	one = row{author: text(d, "domain"), ip: r.Client.IP, pass: result == "pass", asked: text(d, "disposition"),
		testing: text(d, "policy") != text(d, "published"), why: text(d, "override")}
	if one.why == "trusted_arc" {
		one.chain = chainOf(factsOf(r, "arc"))
	}
	if one.done, ok = doneTo(r, about); !ok {
		return one, false
	}
	if r.From != nil {
		one.from = domainOf(*r.From)
	}
	spf := factsOf(r, "spf")
	if one.from != "" { // RFC 9990 section 3.1.1.12: MAIL FROM only
		one.spf, one.spfFor = text(spf, "result"), text(spf, "domain")
	}
	one.dkim = signatures(r)
	return one, one.author != ""
}

// chainOf is a chain of ARC as reports show it, the last seal first.
func chainOf(arc map[string]any) string {
	sealers, selectors := texts(arc, "sealers"), texts(arc, "selectors")
	s := "arc=pass"
	for i := len(sealers); i > 0 && len(s) < 200; i-- {
		s += fmt.Sprintf(" as[%d].d=%s", i, sealers[i-1])
		if len(selectors) == len(sealers) {
			s += fmt.Sprintf(" as[%d].s=%s", i, selectors[i-1])
		}
	}
	return s
}

func factsOf(r *trail.Record, filter string) map[string]any {
	for _, f := range r.Facts {
		if f.Filter == filter {
			return f.Values
		}
	}
	return nil
}

func text(facts map[string]any, name string) string {
	s, _ := facts[name].(string)
	return s
}

func texts(facts map[string]any, name string) (list []string) {
	if list, ok := facts[name].([]string); ok {
		return list
	}
	many, _ := facts[name].([]any) // of a record from before there were versions
	for _, v := range many {
		if s, ok := v.(string); ok {
			list = append(list, s)
		}
	}
	return list
}

// signatures are the message's, those that passed first.
func signatures(r *trail.Record) string {
	var list []string
	facts := factsOf(r, "dkim")
	domains, selectors := texts(facts, "domains"), texts(facts, "selectors")
	for i := range min(len(domains), len(selectors)) {
		list = append(list, domains[i]+"/"+selectors[i]+"/pass")
	}
	for _, f := range r.Facts {
		if f.Filter != "dkim" {
			continue
		}
		for _, a := range f.Auth {
			if s, ok := failed(a); ok {
				list = append(list, s)
			}
		}
	}
	return strings.Join(list, " ")
}

// failed reads "dkim=fail header.d=example.org header.s=k1".
func failed(auth string) (string, bool) {
	words := strings.Fields(auth)
	if len(words) == 0 {
		return "", false
	}
	_, result, _ := strings.Cut(words[0], "=")
	var domain, selector string
	for _, w := range words[1:] {
		switch name, v, _ := strings.Cut(w, "="); name {
		case "header.d":
			domain = v
		case "header.s":
			selector = v
		}
	}
	ok := domain != "" && !strings.ContainsAny(domain+selector, `/"`)
	return domain + "/" + selector + "/" + result, ok
}

// doneTo is what became of the message, for the recipients whose domains report:
// the hardest of it.
func doneTo(r *trail.Record, about func(string) bool) (string, bool) {
	rank := map[string]int{"accept": 1, "discard": 1, "hold": 2, "quarantine": 2, "reject": 3, "drop": 3}
	best := 0
	for _, o := range r.Outcomes {
		if len(o.To) == 0 || slices.ContainsFunc(o.To, func(to string) bool { return about(domainOf(to)) }) {
			best = max(best, rank[o.Action])
		}
	}
	return [...]string{"", "none", "quarantine", "reject"}[best], best > 0
}

func domainOf(address string) string {
	return strings.ToLower(address[strings.LastIndexByte(address, '@')+1:])
}
