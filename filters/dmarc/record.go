package dmarc

import (
	"net/url"
	"strings"
)

// Policy is what a domain asks receivers to do with mail that fails.
type Policy string

// The policies, RFC 9989 section 4.7.
const (
	None       Policy = "none"
	Quarantine Policy = "quarantine"
	Reject     Policy = "reject"
)

// Record is a DMARC Policy Record, RFC 9989 section 4.7. Tags that only
// reporters or older receivers ask for (ruf, fo, pct, ri, rf) are not kept.
type Record struct {
	P, SP, NP   Policy // SP and NP are "" where not given
	StrictDKIM  bool   // adkim=s
	StrictSPF   bool   // aspf=s
	PSD         byte   // 'y', 'n' or 'u'
	Testing     bool   // t=y
	rua         bool   // names at least one place for reports
	badPolicies bool   // p, sp or np has a word that is none
}

// ParseRecord reads a TXT record. ok is false where it is no DMARC record at
// all: the version must come first and stand as it is (section 4.8). A tag that
// is not known or makes no sense does not spoil the rest.
func ParseRecord(text string) (r Record, ok bool) {
	tags := strings.Split(text, ";")
	if name, value := tag(tags[0]); name != "v" || value != "DMARC1" {
		return Record{}, false
	}
	r = Record{PSD: 'u'}
	seen := map[string]bool{}
	for _, t := range tags[1:] {
		if name, value := tag(t); name != "" && !seen[name] {
			seen[name] = true
			r.set(name, value)
		}
	}
	return r, true
}

// tag parts "name = value"; names are lower case, and compared as such.
func tag(s string) (name, value string) {
	name, value, _ = strings.Cut(s, "=")
	return strings.ToLower(strings.Trim(name, " \t\r\n")), strings.Trim(value, " \t\r\n")
}

func (r *Record) set(name, value string) {
	switch word := strings.ToLower(value); name {
	case "p":
		r.P = r.policy(word)
	case "sp":
		r.SP = r.policy(word)
	case "np":
		r.NP = r.policy(word)
	case "adkim":
		r.StrictDKIM = word == "s"
	case "aspf":
		r.StrictSPF = word == "s"
	case "psd":
		if word == "y" || word == "n" {
			r.PSD = word[0]
		}
	case "t":
		r.Testing = word == "y"
	case "rua":
		r.rua = hasURI(value)
	}
}

func (r *Record) policy(word string) Policy {
	switch p := Policy(word); p {
	case None, Quarantine, Reject:
		return p
	}
	r.badPolicies = true
	return ""
}

func hasURI(list string) bool {
	for _, s := range strings.Split(list, ",") {
		u, err := url.Parse(strings.TrimSpace(s))
		if err == nil && u.Scheme != "" && (u.Opaque != "" || u.Host != "") {
			return true
		}
	}
	return false
}

// usable applies RFC 9989 section 4.10.1: a record with a policy that is no
// word counts as p=none where it asks for reports, and is of no use elsewhere.
// A record without p (section 4.7) is p=none.
func (r Record) usable() (Record, bool) {
	if r.badPolicies {
		r.P, r.SP, r.NP = None, "", ""
		return r, r.rua
	}
	if r.P == "" {
		r.P = None
	}
	return r, true
}

// forDomain is the policy for the record's own domain, or for a subdomain that
// exists or does not; exists is asked only where the answer matters.
func (r Record) forDomain(own bool, exists func() bool) Policy {
	switch {
	case own:
		return r.P
	case r.NP != "" && r.NP != r.existing() && !exists():
		return r.NP
	}
	return r.existing()
}

// asks is what the domain asks for where its policy is p: with t=y one level
// below (section 4.7).
func (r Record) asks(p Policy) Policy {
	switch {
	case !r.Testing:
		return p
	case p == Reject:
		return Quarantine
	}
	return None
}

func (r Record) existing() Policy {
	if r.SP != "" {
		return r.SP
	}
	return r.P
}
