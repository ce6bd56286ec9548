// Package dnsbl asks a DNS list for the client, or for what a key says: RFC
// 5782.
package dnsbl

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/internal/dnslist"
	"github.com/forepost/forepost/filters/internal/line"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// Settings are the filter's own.
type Settings struct {
	Zone string      `hcl:"zone,required"` // of the list
	Key  filters.Key `hcl:"key"`           // an address or a domain; default the client's address
	// Private asks for addresses of private networks and of loopback as well: for a
	// list of one's own. No public list knows them.
	Private bool `hcl:"private"`
}

// Kind describes the filter.
func Kind() filters.Kind {
	return filters.Kind{
		Name:  "dnsbl",
		Doc:   "whether the client (or a domain) stands on a DNS list (RFC 5782)",
		From:  pipeline.Connect,
		Named: true,
		Facts: pipeline.Schema{
			{Name: "listed", Type: pipeline.Bool, Doc: "it stands on the list"},
			{Name: "reason", Type: pipeline.String, Doc: "what the list says about it, often a link"},
			{Name: "zone", Type: pipeline.String, Doc: "the zone of the list"},
			{Name: "code", Type: pipeline.String, Doc: "the answer, 127.0.0.2: lists say by it why"},
			{Name: "codes", Type: pipeline.Strings, Doc: "all the answers"},
		},
		Scope:    pipeline.PerSession,
		Slow:     true,
		Settings: func() any { return &Settings{} },
		Build:    build,
	}
}

type filter struct {
	dns  dns.Resolver
	zone string
	key  filters.Key
	all  bool // private addresses, too
}

func build(settings any, d filters.Deps) (pipeline.Filter, error) {
	s := settings.(*Settings)
	zone, err := mail.ParseDomain(strings.TrimSuffix(s.Zone, "."))
	if err != nil || zone[0] == '[' {
		return nil, fmt.Errorf("zone %q is not a domain name", s.Zone)
	}
	return &filter{d.DNS, zone, s.Key, s.Private}, nil
}

// Inspect asks the list.
func (f *filter) Inspect(ctx context.Context, tx *pipeline.Transaction) (pipeline.Finding, error) {
	what, err := f.what(tx)
	if err != nil {
		return f.finding("", nil, ""), err
	}
	label := query(what, f.all)
	if label == "" {
		return f.finding(what, nil, ""), nil
	}
	name := label + "." + f.zone
	answers, err := dns.LookupA(ctx, f.dns, name)
	if dns.IsNotFound(err) {
		return f.finding(what, nil, ""), nil
	}
	if err != nil {
		return f.finding(what, nil, ""), err
	}
	codes, err := codesOf(f.zone, answers)
	if len(codes) == 0 {
		return f.finding(what, nil, ""), err
	}
	// The text is for people; without it the listing stands all the same.
	txts, _ := dns.LookupTXT(ctx, f.dns, name)
	return f.finding(what, codes, ascii(strings.Join(txts, " "))), nil
}

func (f *filter) what(tx *pipeline.Transaction) (string, error) {
	if f.key == nil {
		return tx.Client.Unmap().String(), nil
	}
	what, known := f.key(tx)
	if !known {
		return "", errors.New("what to ask the list for (key) could not be found out")
	}
	return what, nil
}

// query is what stands in front of the zone: the address turned round (RFC 5782
// section 2.1), or the domain. "" where no public list can have an entry:
// addresses that are private to us, and what is neither address nor domain.
func query(what string, all bool) string {
	ip, err := netip.ParseAddr(strings.Trim(what, "[]"))
	if err == nil {
		if private := ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast(); private && !all || ip.IsUnspecified() {
			return ""
		}
		return dns.ReverseName(ip)
	}
	d, err := mail.ParseDomain(strings.TrimSuffix(what, "."))
	if err != nil || d[0] == '[' {
		return ""
	}
	return d
}

// codesOf parts listings from answers that say something else.
func codesOf(zone string, answers []netip.Addr) (codes []string, err error) {
	for _, a := range answers {
		if odd := dnslist.NoListing(zone, a); odd != nil {
			err = odd
			continue
		}
		codes = append(codes, a.String())
	}
	return codes, err
}

// ascii is the text of a list, fit for a reply.
func ascii(text string) string {
	return strings.Map(func(r rune) rune {
		if r > '~' {
			return '?'
		}
		return r
	}, line.Clean(text))
}

func (f *filter) finding(what string, codes []string, reason string) pipeline.Finding {
	fd := pipeline.Finding{Facts: pipeline.Facts{"listed": len(codes) > 0, "reason": reason, "zone": f.zone}}
	if len(codes) == 0 {
		fd.Reason = line.Clean(what + " is not listed in " + f.zone)
		return fd
	}
	fd.Facts["code"], fd.Facts["codes"] = codes[0], codes
	fd.Reason = line.Clean(fmt.Sprintf("%s is listed in %s: %s %s", what, f.zone, strings.Join(codes, " "), reason))
	return fd
}
