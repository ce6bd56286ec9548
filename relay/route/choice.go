package route

import "strings"

// Choice is what policy chose for a recipient, as it stands in mail.Recipient: a
// route by name ("" for the domain's own) and, behind a semicolon, the TLS policy
// that it must have at least. A name alone is its own Choice.
func Choice(name string, tls TLSPolicy) string {
	if tls == TLSMay {
		return name
	}
	return name + choiceTLS + words[tls]
}

const choiceTLS = ";tls="

var words = map[TLSPolicy]string{TLSRequire: "require", TLSVerify: "verify"}

// ParseChoice takes a Choice apart. A word that it does not know (of a later
// version) asks for the strictest policy.
func ParseChoice(choice string) (name string, tls TLSPolicy) {
	name, word, said := strings.Cut(choice, choiceTLS)
	switch {
	case !said:
		return name, TLSMay
	case word == words[TLSRequire]:
		return name, TLSRequire
	}
	return name, TLSVerify
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
