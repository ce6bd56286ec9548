package route

import (
	"net/netip"
	"strings"
)

// Choice is what policy chose for a recipient, as it stands in mail.Recipient: a
// route by name ("" for the domain's own) and, behind a semicolon, the TLS policy
// that it must have at least. A name alone is its own Choice.
func Choice(name string, tls TLSPolicy) string {
	if tls == TLSMay {
		return name
	}
	return name + choiceTLS + words[tls]
}

const (
	choiceTLS    = ";tls="
	choiceSource = ";source="
)

// WithSource is a Choice that also says from which address of this host to
// connect.
func WithSource(choice string, from netip.Addr) string {
	choice, _ = CutSource(choice)
	if !from.IsValid() {
		return choice
	}
	return choice + choiceSource + from.String()
}

// CutSource takes the source address off a Choice; the zero Addr where it names
// none that can be read.
func CutSource(choice string) (rest string, from netip.Addr) {
	rest, text, said := strings.Cut(choice, choiceSource)
	if said {
		from, _ = netip.ParseAddr(text)
	}
	return rest, from
}

var words = map[TLSPolicy]string{TLSRequire: "require", TLSVerify: "verify", TLSDANE: "dane"}

// ParseChoice takes a Choice apart, its source aside. A word that it does not
// know (of a later version) asks for the strictest policy.
func ParseChoice(choice string) (name string, tls TLSPolicy) {
	choice, _ = CutSource(choice)
	name, word, said := strings.Cut(choice, choiceTLS)
	if !said {
		return name, TLSMay
	}
	for tls, w := range words {
		if w == word {
			return name, tls
		}
	}
	return name, TLSDANE
}

// from is a route that connects from an address. Our own store is no network.
func (r *Route) from(source netip.Addr) *Route {
	if !source.IsValid() || source == r.Source || r.Kind == Store {
		return r
	}
	moved := *r
	moved.Source, moved.Moved = source, true
	return &moved
}

// atLeast is a route with at least a TLS policy. Our own store is no network.
func (r *Route) atLeast(tls TLSPolicy) *Route {
	if tls <= r.TLS || r.Kind == Store {
		return r
	}
	raised := *r
	raised.TLS, raised.Raised = tls, true
	return &raised
}
