package mail

import (
	"errors"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Address is a mailbox of an envelope: what stands between the angle brackets
// of MAIL and RCPT (RFC 5321 section 4.1.2), with the quoting of the local part
// taken off. The zero Address is the null path <>.
type Address struct {
	Local  string // as the sender wrote it, unquoted; case is kept
	Domain string // lower case, A-labels; an address literal keeps its brackets
}

// Errors of ParseAddress.
var (
	ErrAddressSyntax = errors.New("the address does not have the form local@domain")
	ErrAddressUTF8   = errors.New("the address has characters outside ASCII, which needs SMTPUTF8")
	ErrAddressLong   = errors.New("the address is longer than RFC 5321 section 4.5.3.1 allows")
)

// Limits of RFC 5321 section 4.5.3.1, in octets.
const (
	maxLocal  = 64
	maxDomain = 255
	maxPath   = 254
)

// ParseAddress reads a mailbox as it stands in a path, without the angle
// brackets: local@domain, "quoted local"@domain, local@[192.0.2.1]. The empty
// string is the null path. A domain in U-labels is turned into A-labels; that
// and a local part outside ASCII need utf8ok (RFC 6531).
func ParseAddress(s string, utf8ok bool) (Address, error) {
	if s == "" {
		return Address{}, nil
	}
	if len(s) > maxPath+2 { // quotes do not count against the mailbox
		return Address{}, ErrAddressLong
	}
	if !utf8.ValidString(s) {
		return Address{}, ErrAddressSyntax
	}
	local, rest, err := parseLocal(s)
	if err != nil {
		return Address{}, err
	}
	if len(local) > maxLocal {
		return Address{}, ErrAddressLong
	}
	if !utf8ok && !isASCII(s) {
		return Address{}, ErrAddressUTF8
	}
	domain, err := ParseDomain(rest)
	if err != nil {
		return Address{}, err
	}
	return Address{Local: local, Domain: domain}, nil
}

// MustParseAddress is ParseAddress for constants and tests; it panics.
func MustParseAddress(s string) Address {
	a, err := ParseAddress(s, true)
	if err != nil {
		panic("mail: " + s + ": " + err.Error())
	}
	return a
}

// ParseDomain checks a domain or an address literal and returns it in the form
// that Address keeps: lower case, A-labels, no final dot.
func ParseDomain(s string) (string, error) {
	if s == "" || len(s) > maxDomain {
		return "", ErrAddressSyntax
	}
	if s[0] == '[' {
		return parseLiteral(s)
	}
	if !isASCII(s) {
		a, err := idna.Lookup.ToASCII(s)
		if err != nil {
			return "", ErrAddressSyntax
		}
		s = a
	}
	s = strings.ToLower(s)
	for rest, more := s, true; more; {
		var label string
		if label, rest, more = strings.Cut(rest, "."); !validLabel(label) {
			return "", ErrAddressSyntax
		}
	}
	return s, nil
}

// IsNull tells whether a is the null path <> of bounces.
func (a Address) IsNull() bool { return a.Local == "" && a.Domain == "" }

// String is the mailbox as it goes out in a path, without angle brackets, the
// local part quoted where RFC 5321 section 4.1.2 asks for it. It never holds a
// character that could end the path. The null path is the empty string.
func (a Address) String() string {
	if a.IsNull() {
		return ""
	}
	local := a.Local
	if !isDotString(local) {
		local = quote(local)
	}
	if a.Domain == "" {
		return local // <Postmaster>, RFC 5321 section 4.1.1.3
	}
	return local + "@" + a.Domain
}

// Path is the address in angle brackets.
func (a Address) Path() string {
	if a.Domain != "" && isDotString(a.Local) {
		return "<" + a.Local + "@" + a.Domain + ">"
	}
	return "<" + a.String() + ">"
}

// Key is the address as a key of lists and tables: lower case throughout.
// Nothing that goes out is made from it, since the local part belongs to its
// domain.
func (a Address) Key() string { return strings.ToLower(a.String()) }

// NeedsUTF8 tells whether the address can travel only under SMTPUTF8.
func (a Address) NeedsUTF8() bool { return !isASCII(a.Local) }

// MarshalText and UnmarshalText keep an Address as its String.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (a *Address) UnmarshalText(b []byte) error {
	if s := string(b); s == "" || strings.Contains(s, "@") {
		v, err := ParseAddress(s, true)
		*a = v
		return err
	}
	local, rest, err := scanLocal(string(b))
	if err != nil || rest != "" {
		return ErrAddressSyntax
	}
	*a = Address{Local: local}
	return nil
}

func parseLocal(s string) (local, domain string, err error) {
	local, rest, err := scanLocal(s)
	if err != nil {
		return "", "", err
	}
	if !strings.HasPrefix(rest, "@") {
		return "", "", ErrAddressSyntax
	}
	return local, rest[1:], nil
}

func scanLocal(s string) (local, rest string, err error) {
	if strings.HasPrefix(s, `"`) {
		return scanQuoted(s)
	}
	i := strings.IndexByte(s, '@')
	if i < 0 {
		i = len(s)
	}
	if !isDotString(s[:i]) {
		return "", "", ErrAddressSyntax
	}
	return s[:i], s[i:], nil
}

func scanQuoted(s string) (local, rest string, err error) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			if b.Len() == 0 {
				return "", "", ErrAddressSyntax
			}
			return b.String(), s[i+1:], nil
		case c == '\\':
			i++
			if i == len(s) || s[i] < ' ' || s[i] > '~' {
				return "", "", ErrAddressSyntax
			}
			b.WriteByte(s[i])
		case c < ' ' || c == 0x7f:
			return "", "", ErrAddressSyntax
		default:
			b.WriteByte(c)
		}
	}
	return "", "", ErrAddressSyntax
}

// isDotString tells whether s is a Dot-string of RFC 5321 section 4.1.2 (with
// the UTF-8 of RFC 6531 section 3.3).
func isDotString(s string) bool {
	start := true // of an atom
	for i := 0; i < len(s); i++ {
		dot := s[i] == '.'
		if dot && start || !dot && !isAtext(s[i]) {
			return false
		}
		start = dot
	}
	return !start
}

func isAtext(c byte) bool {
	switch {
	case c >= 0x80, 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		if s[i] == '"' || s[i] == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
	return b.String()
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
