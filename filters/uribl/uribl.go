// Package uribl asks a DNS list of domains for the links in a message: SURBL,
// URIBL, the DBL, in the manner of RFC 5782.
package uribl

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/internal/line"
	"github.com/forepost/forepost/filters/internal/text"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// Settings are the filter's own.
type Settings struct {
	Zone string `hcl:"zone,required"` // of the list
	// Max is how many domains of one message are asked for, in the order in which
	// they stand in it.
	Max int64 `hcl:"max"`
	// Registered asks for the domain that somebody registered, by the public suffix
	// list (example.co.uk), instead of the whole host of a link.
	Registered bool `hcl:"registered"`
	// Addresses asks for links to addresses, too, turned round as RFC 5782 section
	// 2.1 has it.
	Addresses bool `hcl:"addresses"`
	// Mask has the bits of an answer's last octet of which one must be set; 0: any
	// answer is a listing.
	Mask   int64    `hcl:"mask"`
	Ignore []string `hcl:"ignore"` // domains never asked for, and those below them
}

// limit is how large Max may be.
const limit = 100

// Kind describes the filter.
func Kind() filters.Kind {
	return filters.Kind{
		Name:  "uribl",
		Doc:   "whether the links in a message lead to domains on a DNS list (RFC 5782)",
		From:  pipeline.Data,
		Named: true,
		Facts: pipeline.Schema{
			{Name: "hits", Type: pipeline.Number, Doc: "how many domains stand on the list"},
			{Name: "listed", Type: pipeline.Bool, Doc: "one does, or more"},
			{Name: "domains", Type: pipeline.Strings, Doc: "which ones"},
			{Name: "codes", Type: pipeline.Strings, Doc: "the answers, 127.0.0.2: lists say by them why"},
			{Name: "zone", Type: pipeline.String, Doc: "the zone of the list"},
			{Name: "cut", Type: pipeline.Bool, Doc: "there were more domains than are asked for"},
		},
		Scope:    pipeline.PerMessage,
		Slow:     true,
		Settings: func() any { return &Settings{Max: 20, Registered: true, Addresses: true} },
		Build:    build,
	}
}

type filter struct {
	dns    dns.Resolver
	zone   string
	max    int
	mask   byte
	what   what
	ignore []string
}

func build(settings any, d filters.Deps) (pipeline.Filter, error) {
	s := settings.(*Settings)
	zone, err := domain(s.Zone)
	if err != nil {
		return nil, fmt.Errorf("zone %w", err)
	}
	if s.Max < 1 || s.Max > limit {
		return nil, fmt.Errorf("max = %d is not from 1 to %d", s.Max, limit)
	}
	if s.Mask < 0 || s.Mask > 255 {
		return nil, fmt.Errorf("mask = %d is not from 0 to 255: it has the bits of one octet", s.Mask)
	}
	f := &filter{dns: d.DNS, zone: zone, max: int(s.Max), mask: byte(s.Mask), what: what{s.Registered, s.Addresses}}
	for _, i := range s.Ignore {
		own, err := domain(i)
		if err != nil {
			return nil, fmt.Errorf("ignore: %w", err)
		}
		f.ignore = append(f.ignore, own)
	}
	return f, nil
}

func domain(s string) (string, error) {
	d, err := mail.ParseDomain(strings.TrimSuffix(s, "."))
	if err != nil || d[0] == '[' {
		return "", fmt.Errorf("%q is not a domain name", s)
	}
	return d, nil
}

// Inspect asks the list for all domains side by side. One that nobody could tell
// about is an error where none is listed: what is listed stands all the same.
func (f *filter) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	t, err := text.Of(tx.Part, tx.Message)
	if err != nil {
		return f.finding(nil, false), err
	}
	asked, cut := f.questions(t.Links)
	// A budget of our own: links do not use up what SPF and DMARC ask with. A
	// question takes two, at the cache and behind it.
	ctx = dns.WithBudget(ctx, 2*len(asked))
	var all sync.WaitGroup
	for i := range asked {
		all.Go(func() { f.ask(ctx, &asked[i]) })
	}
	all.Wait()
	fd := f.finding(asked, cut)
	if fd.Facts["listed"] == true {
		return fd, nil
	}
	return fd, doubt(asked)
}

func (f *filter) ask(ctx context.Context, q *question) {
	answers, err := dns.LookupA(ctx, f.dns, q.label+"."+f.zone)
	if err != nil {
		if !dns.IsNotFound(err) {
			q.err = err
		}
		return
	}
	q.codes, q.err = f.judge(q.address, answers)
}

// doubt is the first error, and how many there are.
func doubt(asked []question) error {
	var first error
	n := 0
	for _, q := range asked {
		if q.err != nil {
			n++
			if first == nil {
				first = q.err
			}
		}
	}
	if n > 1 {
		return fmt.Errorf("%d of %d questions for links could not be told, the first: %w", n, len(asked), first)
	}
	return first
}

func (f *filter) finding(asked []question, cut bool) pipeline.Finding {
	var domains, codes, says []string
	for _, q := range asked {
		if len(q.codes) == 0 {
			continue
		}
		domains = append(domains, q.name)
		codes = add(codes, q.codes)
		says = append(says, q.name+" ("+strings.Join(q.codes, " ")+")")
	}
	fd := pipeline.Finding{Facts: pipeline.Facts{
		"hits": float64(len(domains)), "listed": len(domains) > 0, "domains": domains, "codes": codes, "zone": f.zone, "cut": cut,
	}}
	if len(domains) > 0 {
		fd.Reason = line.Clean("listed in " + f.zone + ": " + strings.Join(says, ", "))
		return fd
	}
	fd.Reason = fmt.Sprintf("none of %d domains of links is listed in %s", len(asked), f.zone)
	if cut {
		fd.Reason += "; there are more than were asked for"
	}
	return fd
}
