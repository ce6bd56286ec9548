package uribl

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/forepost/forepost/filters/internal/dnslist"
	"github.com/forepost/forepost/filters/internal/text"
	"github.com/forepost/forepost/relay/dns"
)

// maxName is how long a name in the DNS can be, written with dots: RFC 1035
// section 2.3.4. Longer ones stand on no list.
const maxName = 253

// what says which part of a link is asked for.
type what struct{ registered, addresses bool }

// question is one domain, or address, and what the list said about it.
type question struct {
	name    string // what is asked for
	label   string // as it stands before the zone
	address bool
	codes   []string // the listings
	err     error
}

// questions are what to ask for of the links of a message, each once, in the
// order of the links. cut: there are more of them.
func (f *filter) questions(links []string) (asked []question, cut bool) {
	seen := map[string]bool{}
	for _, l := range links {
		host := text.Host(l)
		q, ok := f.what.of(host)
		if !ok || seen[q.label] || f.ignores(host) || len(q.label)+1+len(f.zone) > maxName {
			continue
		}
		if len(asked) == f.max {
			return asked, true
		}
		seen[q.label] = true
		asked = append(asked, q)
	}
	return asked, false
}

// of is the question for a host. There is none for addresses that are private
// to us: no public list can have an entry.
func (w what) of(host string) (q question, ok bool) {
	if host == "" {
		return q, false
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		public := ip.IsGlobalUnicast() && !ip.IsPrivate()
		return question{name: host, label: dns.ReverseName(ip), address: true}, w.addresses && public
	}
	if w.registered {
		// A host that is itself a public suffix stands for itself.
		if d, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
			host = d
		}
	}
	return question{name: host, label: host}, true
}

// ignores tells whether a host, or one that it stands below, is never asked for.
func (f *filter) ignores(host string) bool {
	return slices.ContainsFunc(f.ignore, func(d string) bool { return host == d || strings.HasSuffix(host, "."+d) })
}

var (
	refused = netip.MustParseAddr("127.0.0.1")   // of SURBL and URIBL: "you may not ask"
	noIP    = netip.MustParseAddr("127.0.1.255") // of the DBL, whatever address it is asked for
)

// judge parts listings from answers that say something else: those of every DNS
// list, and that a list knows no addresses. A listing stands whatever else is
// answered.
func (f *filter) judge(address bool, answers []netip.Addr) (codes []string, err error) {
	slices.SortFunc(answers, netip.Addr.Compare) // servers turn them about
	for _, a := range answers {
		odd := dnslist.NoListing(f.zone, a)
		switch {
		case a == refused:
			err = dnslist.Refused(f.zone, a)
		case odd != nil:
			err = odd
		case address && a == noIP:
			err = fmt.Errorf("%s is not to be asked for addresses (%s); set addresses = false", f.zone, a)
		case f.mask == 0 || a.As4()[3]&f.mask != 0:
			codes = append(codes, a.String())
		}
	}
	if len(codes) > 0 {
		return codes, nil
	}
	return nil, err
}

// add adds those that are not there.
func add(to, more []string) []string {
	for _, s := range more {
		if !slices.Contains(to, s) {
			to = append(to, s)
		}
	}
	return to
}
