package spf

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// record is an SPF record, RFC 7208 section 12. It is parsed whole before any of
// it is evaluated: a syntax error anywhere makes a permerror, whether or not a
// term before it matches (section 4.6).
type record struct {
	directives []directive
	redirect   string // domain-spec, "" for none
	exp        string // domain-spec, "" for none
}

// directive is a mechanism with what its match means.
type directive struct {
	result string // pass, fail, softfail or neutral
	kind   string // all, include, a, mx, ptr, ip4, ip6 or exists
	text   string // the mechanism as it stands, without the qualifier
	domain string // domain-spec, "" for the domain in question
	net    netip.Prefix
	bits   [2]int // of a and mx: for IPv4 and for IPv6
}

// maxRecord is how long a record may be: the DNS carries no more over UDP (RFC
// 7208 section 3.4 asks for 450 octets), and each term costs work.
const maxRecord = 4096

var errLong = errors.New("the record is longer than a record may be")

var qualifiers = map[byte]string{'+': "pass", '-': "fail", '~': "softfail", '?': "neutral"}

// isRecord tells whether a TXT record is an SPF record, RFC 7208 section 4.5.
func isRecord(txt string) bool {
	return len(txt) >= 6 && strings.EqualFold(txt[:6], "v=spf1") && (len(txt) == 6 || txt[6] == ' ')
}

// parse reads a record of which isRecord holds.
func parse(txt string) (r record, err error) {
	if len(txt) > maxRecord {
		return r, errLong
	}
	r.directives = make([]directive, 0, strings.Count(txt, " "))
	for rest := txt[6:]; rest != ""; {
		var term string
		term, rest, _ = strings.Cut(rest, " ")
		if term == "" {
			continue
		}
		if name, value, ok := modifier(term); ok {
			err = r.modify(strings.ToLower(name), value)
		} else {
			var d directive
			d, err = parseDirective(term)
			r.directives = append(r.directives, d)
		}
		if err != nil {
			return record{}, fmt.Errorf("%q: %w", term, err)
		}
	}
	return r, nil
}

// modifier parts name=value, RFC 7208 section 4.6.1.
func modifier(term string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(term, "=")
	if !ok || name == "" || !isAlpha(name[0]) {
		return "", "", false
	}
	for i := 0; i < len(name); i++ {
		if c := name[i]; !isAlpha(c) && !isDigit(c) && c != '-' && c != '_' && c != '.' {
			return "", "", false
		}
	}
	return name, value, true
}

// modify takes a modifier. redirect and exp name a domain and stand once at
// most, RFC 7208 section 6. Others are unknown and mean nothing.
func (r *record) modify(name, value string) error {
	at := &r.exp
	switch name {
	case "redirect":
		at = &r.redirect
	case "exp":
	default:
		_, err := scan(value, true)
		return err
	}
	if *at != "" {
		return errors.New("a modifier stands twice")
	}
	*at = value
	return domainSpec(value)
}

func parseDirective(term string) (d directive, err error) {
	d.result = "pass"
	if word, ok := qualifiers[term[0]]; ok {
		d.result, term = word, term[1:]
	}
	d.text = term
	name, rest := term, ""
	if i := strings.IndexAny(term, ":/"); i >= 0 {
		name, rest = term[:i], term[i:]
	}
	d.kind = strings.ToLower(name)
	switch d.kind {
	case "all":
		if rest != "" {
			err = errors.New("all has no arguments")
		}
	case "include", "exists":
		d.domain, err = argument(rest, true)
	case "ptr":
		d.domain, err = argument(rest, false)
	case "a", "mx":
		if rest, d.bits, err = cutLengths(rest); err == nil {
			d.domain, err = argument(rest, false)
		}
	case "ip4", "ip6":
		d.net, err = network(rest, d.kind == "ip4")
	default:
		err = errors.New("there is no such mechanism")
	}
	return d, err
}

// argument reads ":" domain-spec.
func argument(s string, must bool) (string, error) {
	if s == "" && !must {
		return "", nil
	}
	spec, ok := strings.CutPrefix(s, ":")
	if !ok {
		return "", errors.New("a domain is missing")
	}
	return spec, domainSpec(spec)
}

// cutLengths takes the dual-cidr-length from the end of an argument.
func cutLengths(s string) (rest string, bits [2]int, err error) {
	bits = [2]int{32, 128}
	if i := strings.LastIndex(s, "//"); i >= 0 && isLength(s[i+2:]) {
		bits[1], _ = strconv.Atoi(s[i+2:])
		s = s[:i]
	}
	if i := strings.LastIndexByte(s, '/'); i >= 0 && isLength(s[i+1:]) {
		bits[0], _ = strconv.Atoi(s[i+1:])
		s = s[:i]
	}
	if bits[0] > 32 || bits[1] > 128 {
		err = errors.New("a prefix is longer than an address")
	}
	return s, bits, err
}

// isLength: "0" / %x31-39 0*2DIGIT.
func isLength(s string) bool {
	if s == "" || len(s) > 3 || s[0] == '0' && len(s) > 1 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// network reads ":" address [ "/" length ] of ip4 and ip6.
func network(s string, v4 bool) (netip.Prefix, error) {
	addr, length, given := strings.Cut(strings.TrimPrefix(s, ":"), "/")
	ip, err := netip.ParseAddr(addr)
	if err != nil || s[0] != ':' || ip.Zone() != "" || ip.Is4() != v4 {
		return netip.Prefix{}, errors.New("this is no address of that family")
	}
	if !given {
		return netip.PrefixFrom(ip, ip.BitLen()), nil
	}
	bits, _ := strconv.Atoi(length)
	if !isLength(length) || bits > ip.BitLen() {
		return netip.Prefix{}, errors.New("this is no length of a prefix")
	}
	return netip.PrefixFrom(ip, bits), nil
}

func isAlpha(c byte) bool { c |= 0x20; return 'a' <= c && c <= 'z' }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
