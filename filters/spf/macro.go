package spf

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// piece is one part of a macro-string, RFC 7208 section 7.1: literal text, or a
// macro (letter is set).
type piece struct {
	text    string
	letter  byte // lower case
	escape  bool // the letter stood in upper case: URL escaping
	keep    int  // right-hand parts to use, 0 for all
	reverse bool
	delims  string // "" for "."
	expand  bool   // stood as a macro-expand, %% %_ %- too
}

var (
	errMacro = errors.New("this is no macro")
	errSign  = errors.New("an octet that may not stand there")
)

// literals are what %% %_ %- stand for.
var literals = map[byte]string{'%': "%", '_': " ", '-': "%20"}

// scan parts a macro-string into its pieces. The letters c, r and t, and blanks,
// stand in explanations only (section 7.2).
func scan(s string, explains bool) (ps []piece, err error) {
	for s != "" {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			i = len(s)
		}
		if !visible(s[:i], explains) {
			return nil, errSign
		}
		if i > 0 {
			ps = append(ps, piece{text: s[:i]})
		}
		if s = s[i:]; s == "" {
			break
		}
		p, n := macro(s, explains)
		if n == 0 {
			return nil, errMacro
		}
		ps, s = append(ps, p), s[n:]
	}
	return ps, nil
}

// visible: the macro-literals are %x21-24 and %x26-7E.
func visible(s string, blanks bool) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c > '~' || c == ' ' && !blanks {
			return false
		}
	}
	return true
}

// macro reads the macro-expand that s begins with; n is its length, 0 for none.
func macro(s string, explains bool) (p piece, n int) {
	if len(s) < 2 {
		return p, 0
	}
	if text, ok := literals[s[1]]; ok {
		return piece{text: text, expand: true}, 2
	}
	end := strings.IndexByte(s, '}')
	if s[1] != '{' || end < 3 || !isAlpha(s[2]) {
		return p, 0
	}
	p = piece{letter: s[2] | 0x20, escape: s[2] < 'a', expand: true}
	if letters := "slodiphv"; strings.IndexByte(letters, p.letter) < 0 && (!explains || strings.IndexByte("crt", p.letter) < 0) {
		return p, 0
	}
	rest := s[3:end]
	digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
	if digits > 0 {
		n, err := strconv.ParseUint(rest[:digits], 10, 16)
		if n == 0 {
			return p, 0 // "the value MUST be nonzero"
		}
		if p.keep = int(n); err != nil {
			p.keep = 0 // more parts than any name has: all
		}
		rest = rest[digits:]
	}
	if rest != "" && rest[0]|0x20 == 'r' {
		p.reverse, rest = true, rest[1:]
	}
	if strings.Trim(rest, ".-+,/_=") != "" {
		return p, 0
	}
	p.delims = rest
	return p, end + 1
}

// domainSpec checks a domain-spec: a macro-string that ends in a macro or in
// a dot and a top label.
func domainSpec(s string) error {
	last := piece{text: s} // most have no macro, and then nothing is to be parted
	if strings.IndexByte(s, '%') >= 0 {
		ps, err := scan(s, false)
		if err != nil {
			return err
		}
		last = ps[len(ps)-1]
	} else if !visible(s, false) {
		return errSign
	}
	if last.expand {
		return nil
	}
	end := strings.TrimSuffix(last.text, ".")
	if i := strings.LastIndexByte(end, '.'); i < 0 || !isTopLabel(end[i+1:]) {
		return errors.New("this is not the name of a domain")
	}
	return nil
}

// isTopLabel: letters, digits and inner hyphens, not digits alone.
func isTopLabel(s string) bool {
	word := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !isAlpha(c) && !isDigit(c) && c != '-' {
			return false
		}
		word = word || !isDigit(c)
	}
	return word && s[0] != '-' && s[len(s)-1] != '-'
}

// expand expands a macro-string whose syntax was checked, RFC 7208 section 7.
func (c *checker) expand(ctx context.Context, s, domain string, explains bool) (string, error) {
	if strings.IndexByte(s, '%') < 0 {
		return s, nil
	}
	ps, err := scan(s, explains)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, p := range ps {
		if p.letter == 0 {
			b.WriteString(p.text)
			continue
		}
		v := p.transform(c.value(ctx, p.letter, domain))
		if p.escape {
			v = urlEscape(v)
		}
		b.WriteString(v)
	}
	return b.String(), nil
}

// value is what a macro letter stands for, RFC 7208 section 7.2.
func (c *checker) value(ctx context.Context, letter byte, domain string) string {
	switch letter {
	case 's':
		return c.local + "@" + c.sender
	case 'l':
		return c.local
	case 'o':
		return c.sender
	case 'd':
		return domain
	case 'h':
		return c.helo
	case 'i':
		return dotted(c.ip)
	case 'p':
		return c.validatedName(ctx, domain)
	case 'v':
		if c.ip.Is4() {
			return "in-addr"
		}
		return "ip6"
	case 'c':
		return c.ip.String()
	case 'r':
		return c.receiver
	}
	return strconv.FormatInt(c.now().Unix(), 10) // t
}

// dotted is an address as %{i} has it: the nibbles of IPv6, with dots.
func dotted(ip netip.Addr) string {
	if ip.Is4() {
		return ip.String()
	}
	const hex = "0123456789ABCDEF"
	var b []byte
	for _, o := range ip.AsSlice() {
		b = append(b, hex[o>>4], '.', hex[o&15], '.')
	}
	return string(b[:len(b)-1])
}

// transform splits at the delimiters, reverses, keeps the right-hand parts and
// joins with dots, RFC 7208 section 7.3.
func (p piece) transform(v string) string {
	if p.keep == 0 && !p.reverse && p.delims == "" {
		return v
	}
	delims := p.delims
	if delims == "" {
		delims = "."
	}
	var parts []string
	for {
		i := strings.IndexAny(v, delims)
		if i < 0 {
			break
		}
		parts, v = append(parts, v[:i]), v[i+1:]
	}
	parts = append(parts, v)
	if p.reverse {
		slices.Reverse(parts)
	}
	if p.keep > 0 && p.keep < len(parts) {
		parts = parts[len(parts)-p.keep:]
	}
	return strings.Join(parts, ".")
}

// urlEscape escapes what is not unreserved, RFC 3986 section 2.3.
func urlEscape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if isAlpha(c) || isDigit(c) || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}
