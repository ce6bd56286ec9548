package arc

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/forepost/forepost/filters/internal/canon"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// The fields of a link.
const (
	resultsName   = "ARC-Authentication-Results"
	signatureName = "ARC-Message-Signature"
	sealName      = "ARC-Seal"
)

// The limits that hold before anything is verified.
const (
	maxLinks  = 50       // RFC 8617 section 4.2.1
	maxField  = 16 << 10 // octets of one field of a link
	maxHeader = 1 << 18  // octets of the whole header
	maxFields = 1000
	maxSigned = 200 // names in an h= tag
)

// signature is an ARC-Message-Signature or an ARC-Seal.
type signature struct {
	field mime.Field
	tags  map[string]string
	b, bh []byte
}

// link is one ARC set, RFC 8617 section 4.2.
type link struct {
	results mime.Field
	message signature
	seal    signature
	signed  []string // h= of message
}

// chain is the links from the first on.
type chain []link

// chainOf finds the links of a message and checks their form: RFC 8617 section
// 5.2 steps 1 to 3. An empty chain without a why is none. The chain that comes
// with a why is as long as it says it is; its links are not to be read.
func chainOf(p *mime.Part) (c chain, why string) {
	var found []mime.Field
	for _, f := range p.Fields {
		if kindOf(f) != "" {
			found = append(found, f)
		}
	}
	if len(found) == 0 {
		return nil, ""
	}
	n := min((len(found)+2)/3, maxLinks+1)
	c = make(chain, n)
	switch {
	case n > maxLinks:
		return c, fmt.Sprintf("the chain has more than %d links", maxLinks)
	case len(p.Fields) > maxFields || p.Body-p.Off > maxHeader || slices.Contains(p.Defects, mime.DefectLimit):
		return c, fmt.Sprintf("the header is larger than %d fields or %d octets", maxFields, maxHeader)
	case slices.Contains(p.Defects, mime.DefectBadField):
		return c, "the header has a line that is no field, so what was signed is in doubt"
	}
	for _, f := range found {
		if why = c.put(f); why != "" {
			return c, why
		}
	}
	return c, c.complete()
}

func kindOf(f mime.Field) string {
	for _, name := range []string{resultsName, signatureName, sealName} {
		if strings.EqualFold(f.Name, name) {
			return name
		}
	}
	return ""
}

// put reads a field into the link that it says it is of.
func (c chain) put(f mime.Field) (why string) {
	if len(f.Raw) > maxField {
		return "a field of the chain is too long"
	}
	kind := kindOf(f)
	if kind == resultsName {
		i, ok := instanceOf(f.Raw)
		if !ok || i > len(c) || c[i-1].results.Name != "" {
			return "the " + kind + " fields are not one a link"
		}
		c[i-1].results = f
		return ""
	}
	s, why := read(f)
	if why != "" {
		return kind + ": " + why
	}
	i, ok := number(s.tags["i"])
	if !ok || i > len(c) {
		return "the " + kind + " fields are not one a link"
	}
	l := &c[i-1]
	if kind == sealName {
		why = l.takeSeal(s, i)
	} else {
		why = l.takeMessage(s)
	}
	if why != "" {
		return fmt.Sprintf("%s %d: %s", kind, i, why)
	}
	return ""
}

// number is an instance: 1 to maxLinks, without signs and leading zeros.
func number(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 1 && n <= maxLinks && strconv.Itoa(n) == s
}

// instanceOf is the i= that begins the value of an ARC-Authentication-Results
// field, RFC 8617 section 4.1.1.
func instanceOf(raw string) (int, bool) {
	first, _, ok := strings.Cut(raw, ";")
	name, value, is := strings.Cut(first, "=")
	if !ok || !is || strings.TrimSpace(name) != "i" {
		return 0, false
	}
	return number(strings.TrimSpace(value))
}

// read takes a signature apart and checks what both kinds have. White space
// within values counts, but for base64 and h= (RFC 6376 section 3.2).
func read(f mime.Field) (signature, string) {
	t, ok := canon.Tags(f.Raw)
	if !ok || strings.Contains(canon.Squeeze(f.Raw), ";;") {
		return signature{}, "it is not a list of tags"
	}
	s := signature{field: f, tags: t}
	if t["a"] != "rsa-sha256" && t["a"] != "ed25519-sha256" {
		return s, "a= is not an algorithm that is taken"
	}
	if d, err := mail.ParseDomain(strings.ToLower(t["d"])); err != nil || d[0] == '[' {
		return s, "d= is not a domain name"
	}
	if _, err := mail.ParseDomain(t["s"]); err != nil {
		return s, "s= is not a selector"
	}
	if stamp, ok := t["t"]; ok {
		if n, err := strconv.ParseUint(stamp, 10, 63); err != nil || strings.HasPrefix(stamp, "+") || n == 0 {
			return s, "t= is not a time"
		}
	}
	var err error
	if s.b, err = base64.StdEncoding.DecodeString(canon.Squeeze(t["b"])); err != nil || len(s.b) < 64 || len(s.b) > 1024 {
		return s, "b= is not a signature"
	}
	return s, ""
}

// takeSeal checks what a seal has: RFC 8617 sections 4.1.3 and 5.2.
func (l *link) takeSeal(s signature, i int) string {
	want := "pass"
	if i == 1 {
		want = "none"
	}
	switch _, h := s.tags["h"]; {
	case l.seal.tags != nil:
		return "there are several"
	case h:
		return "a seal has no h="
	case s.tags["cv"] == "fail":
		return "an earlier hand found the chain broken"
	case s.tags["cv"] != want:
		return "cv= is not " + want
	}
	l.seal = s
	return ""
}

// takeMessage checks what a message signature has: RFC 8617 section 4.1.2.
func (l *link) takeMessage(s signature) string {
	if l.message.tags != nil {
		return "there are several"
	}
	if _, ok := s.tags["h"]; !ok {
		return "there is no h="
	}
	l.signed = canon.Names(s.tags["h"])
	if len(l.signed) > maxSigned {
		return "h= names too many fields"
	}
	if slices.Contains(l.signed, "arc-seal") {
		return "h= names a seal"
	}
	if forms(s.tags) == nil {
		return "c= is not a form that is taken"
	}
	var err error
	if s.bh, err = base64.StdEncoding.DecodeString(canon.Squeeze(s.tags["bh"])); err != nil || len(s.bh) != 32 {
		return "bh= is not a hash"
	}
	if _, ok := s.tags["l"]; ok {
		return "l= leaves the end of the body unsigned"
	}
	l.message = s
	return ""
}

// form is the canonical form of header and body, whether relaxed.
type form struct{ header, body bool }

// forms reads c=. Without one it is simple by RFC 6376 section 3.5, which RFC
// 8617 points to; dkimpy and ValiMail's suite take relaxed. Either is tried.
func forms(tags map[string]string) []form {
	c, given := tags["c"]
	if !given {
		return []form{{}, {true, true}}
	}
	h, b, two := strings.Cut(c, "/")
	if !two {
		b = "simple"
	}
	if h != "simple" && h != "relaxed" || b != "simple" && b != "relaxed" {
		return nil
	}
	return []form{{h == "relaxed", b == "relaxed"}}
}

// complete tells whether each link has its three fields.
func (c chain) complete() string {
	for i, l := range c {
		if l.results.Name == "" || l.message.tags == nil || l.seal.tags == nil {
			return fmt.Sprintf("link %d is not whole", i+1)
		}
	}
	return ""
}

// signsAuthor tells whether the message signature covers every From field,
// which RFC 8617 does not ask for.
func (l *link) signsAuthor(p *mime.Part) bool {
	n := 0
	for _, name := range l.signed {
		if name == "from" {
			n++
		}
	}
	return n > 0 && n >= len(p.All("From"))
}
