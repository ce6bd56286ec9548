package dmarc

import (
	"errors"
	"slices"
	"strings"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// Why a message has no Author Domain. Each of them is how a forger makes the
// reader see another author than the filter, so none of them ever passes.
var (
	errNoFrom   = errors.New("the message has no From field")
	errManyFrom = errors.New("the message has several From fields")
	errOddFrom  = errors.New("the From field cannot be read without doubt")
	errAuthors  = errors.New("the From field does not have exactly one address")
	errDomain   = errors.New("the domain of the From field is not a domain name")
)

// authorDomain is the Author Domain, RFC 9989 section 5.3.1: of the one address
// of the one From field, as it stands on the wire, U-labels as A-labels, and
// nothing else about it rewritten.
func authorDomain(p *mime.Part) (string, error) {
	from, err := fromField(p)
	if err != nil {
		return "", err
	}
	if strings.ContainsAny(from.Raw, "\x00") || signs(from.Raw) > 1 {
		return "", errOddFrom
	}
	list, ok := mime.Mailboxes(from.Raw)
	if !ok {
		return "", errOddFrom
	}
	if len(list) != 1 || list[0].Group != "" {
		return "", errAuthors
	}
	addr := list[0].Address
	if strings.Contains(addr, "=?") {
		return "", errOddFrom // an encoded word where none may stand, RFC 2047 section 5
	}
	if !strings.Contains(from.Raw, addr[strings.LastIndexByte(addr, '@')+1:]) {
		return "", errOddFrom // white space or comments in the domain, of RFC 5322 section 4.4: readers end it at different places
	}
	a, err := mail.ParseAddress(addr, true)
	if err != nil || a.Domain == "" || a.Domain[0] == '[' {
		return "", errDomain
	}
	return a.Domain, nil
}

// fromField finds the one From field. A name counts as From however it is
// spelt: with white space before the colon, or with an octet in it that a
// reader would not see.
func fromField(p *mime.Part) (from mime.Field, err error) {
	n := 0
	for _, f := range p.Fields {
		if looksLikeFrom(f.Name) {
			from = f
			n++
		}
	}
	switch {
	case slices.Contains(p.Defects, mime.DefectBadField):
		return from, errOddFrom // to another reader that line may be one more From
	case n == 0:
		return from, errNoFrom
	case n > 1:
		return from, errManyFrom
	case !strings.EqualFold(from.Name, "From"):
		return from, errOddFrom
	}
	return from, nil
}

func looksLikeFrom(name string) bool {
	plain := strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f {
			return -1
		}
		return r
	}, name)
	return strings.EqualFold(plain, "From")
}

// signs counts the @ of a field that stand outside of quotes and comments. With
// more than one, readers differ in which address they take: boss@bank.test
// <x@evil.test>, or the route of <@evil.test:boss@bank.test>.
func signs(raw string) (n int) {
	quoted, depth := false, 0
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '\\':
			i++
		case c == '"' && depth == 0:
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')' && depth > 0:
			depth--
		case c == '@' && depth == 0:
			n++
		}
	}
	return n
}
