package dkim

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/forepost/forepost/filters/internal/canon"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// The limits that hold before any signature is verified: what they bound grows
// with the product of fields and names, and a sender chooses both.
const (
	maxSignatures  = 5       // those after the fifth are not looked at
	maxFields      = 1000    // of the message's header
	maxHeader      = 1 << 18 // its octets
	maxSigned      = 200     // names in an h= tag
	maxSignature   = 8 << 10 // octets of a signature field
	maxSignedTimes = maxSigned * maxFields / 4
)

// signature is one DKIM-Signature field.
type signature struct {
	field     mime.Field
	tags      map[string]string
	domain    string // d=, as a domain name in lower case
	selector  string
	algorithm string
	b         string
	signed    []string // h=
	bad       string   // why it need not be verified, "" where it does
	result    string   // of a bad one
}

// signatures finds those to verify. why says that the header itself is one that
// nothing can be said about.
func signatures(p *mime.Part) (sigs []signature, why string) {
	for _, f := range p.Fields {
		if len(sigs) < maxSignatures && strings.EqualFold(f.Name, "DKIM-Signature") {
			sigs = append(sigs, read(p, f))
		}
	}
	work := 0
	for _, s := range sigs {
		work += len(s.signed) * len(p.Fields)
	}
	switch {
	case len(sigs) == 0:
		return nil, ""
	case hasDefect(p, mime.DefectBadField):
		// one reader's header line is another's body: no signature says whose
		return nil, "the header has a line that is no field, so what was signed is in doubt"
	case len(p.Fields) > maxFields || p.Body-p.Off > maxHeader || hasDefect(p, mime.DefectLimit):
		return nil, fmt.Sprintf("the header is larger than %d fields or %d octets", maxFields, maxHeader)
	case work > maxSignedTimes:
		return nil, "the signatures name more header fields than is reasonable"
	}
	return sigs, ""
}

func hasDefect(p *mime.Part, d mime.Defect) bool {
	for _, x := range p.Defects {
		if x == d {
			return true
		}
	}
	return false
}

// read takes a signature apart and finds what makes it worthless from the start.
func read(p *mime.Part, f mime.Field) signature {
	s := signature{field: f}
	if len(f.Raw) > maxSignature {
		return s.worthless("policy", "the signature is too long")
	}
	t, ok := canon.Tags(f.Raw)
	if !ok || !canon.Strict(f.Raw) {
		return s.worthless("permerror", "the signature is not a list of tags")
	}
	s.tags = t
	s.domain = strings.ToLower(canon.Squeeze(t["d"]))
	s.algorithm = word(t["a"])
	t["b"] = canon.Squeeze(t["b"])
	s.b = word(t["b"])
	s.signed = canon.Names(t["h"])
	if d, err := mail.ParseDomain(s.domain); err != nil || d[0] == '[' {
		s.domain = ""
		return s.worthless("permerror", "d= is not a domain name")
	}
	if _, err := mail.ParseDomain(canon.Squeeze(t["s"])); err != nil {
		return s.worthless("permerror", "s= is not a selector")
	}
	s.selector = canon.Squeeze(t["s"])
	if len(s.signed) > maxSigned {
		s.signed = nil
		return s.worthless("policy", "h= names too many fields")
	}
	if _, ok := t["l"]; ok {
		return s.worthless("policy", "l= leaves the end of the body unsigned")
	}
	if name := uncovered(p, s.signed); name != "" {
		return s.worthless("policy", "there are more "+name+" fields than were signed")
	}
	if why := misshapen(s.algorithm, t); why != "" {
		return s.worthless("permerror", why)
	}
	return s
}

// misshapen tells what is wrong with the values of a signature, before any key is
// asked for: a= is an algorithm of RFC 8301 or 8463, q= has a way that we know,
// t= and x= are numbers, bh= is a SHA-256 sum, b= has the length of a signature
// of its kind (RSA with 1024 to 8192 bits).
func misshapen(algorithm string, t map[string]string) string {
	if algorithm != "rsa-sha256" && algorithm != "ed25519-sha256" {
		return "a= is not an algorithm that is taken"
	}
	if q, ok := t["q"]; ok && !slices.Contains(strings.Split(canon.Squeeze(q), ":"), "dns/txt") {
		return "q= has no way to the key that is known"
	}
	for _, name := range []string{"t", "x"} {
		if v, ok := t[name]; ok && !isNumber(v) {
			return name + "= is not a number of seconds"
		}
	}
	if sum, err := base64.StdEncoding.DecodeString(canon.Squeeze(t["bh"])); err != nil || len(sum) != sha256.Size {
		return "bh= is not a hash"
	}
	least, most := 128, 1024
	if algorithm == "ed25519-sha256" {
		least, most = ed25519.SignatureSize, ed25519.SignatureSize
	}
	if sig, err := base64.StdEncoding.DecodeString(canon.Squeeze(t["b"])); err != nil || len(sig) < least || len(sig) > most {
		return "b= is not a signature of its kind"
	}
	return ""
}

// isNumber is 1*12DIGIT, of RFC 6376 section 3.5.
func isNumber(s string) bool {
	return s != "" && len(s) <= 12 && strings.Trim(s, "0123456789") == ""
}

// word is what Authentication-Results may show of a tag: the signs of base64
// and of algorithm names, so that a signature cannot write results of its own.
func word(s string) string {
	s = canon.Squeeze(s)
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '+' || c == '/' || c == '=') {
			return s[:i]
		}
	}
	return s
}

func (s signature) worthless(result, why string) signature {
	s.result, s.bad = result, why
	return s
}

// count is how many fields of a name there are.
func count(p *mime.Part, name string) (n int) {
	for i := range p.Fields {
		if strings.EqualFold(p.Fields[i].Name, name) {
			n++
		}
	}
	return n
}

// single are the fields of which RFC 5322 section 3.6 and RFC 2045 allow one.
// Where a message has more, readers differ in which they show.
var single = []string{
	"from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id",
	"mime-version", "content-type", "content-transfer-encoding",
}

// uncovered finds a field that was signed and then added once more: the
// signature covers the last one, a reader may show the first (RFC 6376 section
// 8.15).
func uncovered(p *mime.Part, signed []string) string {
	for _, name := range single {
		n := 0
		for _, s := range signed {
			if s == name {
				n++
			}
		}
		if n > 0 && count(p, name) > max(n, 1) {
			return name
		}
	}
	return ""
}
