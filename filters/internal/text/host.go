package text

import (
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/forepost/forepost/relay/mail"
)

// maxHost is how many octets of a host are read: more than the 253 of a domain,
// since it may be written with percent signs or in UTF-8.
const maxHost = 1024

// maxDomain is how long a name in the DNS can be, written with dots: RFC 1035
// section 2.3.4.
const maxDomain = 253

// Host is where a link of Links leads, as a browser reads it: a domain in lower
// case, A-labels, without a final dot; or an address, as netip writes it. User
// and port are no part of it. "" where there is none: a name of one label is of
// the reader's own network.
func Host(link string) string {
	host := authority(link)
	host = host[strings.LastIndexByte(host, '@')+1:]
	if strings.HasPrefix(host, "[") {
		host, _, _ = strings.Cut(host[1:], "]")
		ip, err := netip.ParseAddr(host)
		if err != nil {
			return ""
		}
		return ip.Unmap().WithZone("").String()
	}
	host, _, _ = strings.Cut(host, ":")
	if h, err := url.PathUnescape(host); err == nil {
		host = h
	}
	host = dots.Replace(host)
	if len(host) > maxHost {
		return ""
	}
	if ip, ok := ipv4(strings.TrimSuffix(host, ".")); ok {
		return ip.String()
	}
	return domain(host)
}

// authority is what stands before the path. Browsers take a backslash for a slash,
// and as many of them for two.
func authority(link string) string {
	if scheme, rest, ok := strings.Cut(link, "://"); ok && !strings.ContainsAny(scheme, "./") {
		link = strings.TrimLeft(rest, `/\`)
	}
	if i := strings.IndexAny(link, `/\?#`); i >= 0 {
		return link[:i]
	}
	return link
}

// dots are what IDNA (RFC 3490 section 3.1) takes for a full stop.
var dots = strings.NewReplacer("\u3002", ".", "\uff0e", ".", "\uff61", ".")

// domain is the domain that a host names. Words that stand right behind a link,
// as in scripts without blanks, are taken off where no such top-level domain is
// known, and so is what a sentence or a script goes on with.
func domain(host string) string {
	whole := tail(host)
	if i := strings.IndexAny(host, `!$&'()*+,;="`); i >= 0 && whole == "" {
		return tail(host[:i])
	}
	i := strings.IndexFunc(host, func(r rune) bool { return r >= 0x80 })
	if i < 0 || known(whole) {
		return whole
	}
	if d := tail(host[:i]); known(d) {
		return d
	}
	return whole
}

// known tells whether a domain stands below a public suffix that is listed.
func known(d string) bool {
	suffix, icann := publicsuffix.PublicSuffix(d)
	return d != "" && (icann || strings.Contains(suffix, "."))
}

// tail is the longest end of a host that is a domain of two labels or more. The
// DNS takes names that mail does not (a label "-"), and who stands on a list could
// put them in front. It goes label by label, so that its work is linear.
func tail(host string) (d string) {
	host = strings.TrimRight(host, ".")
	for host != "" {
		dot := strings.LastIndexByte(host, '.')
		label, err := mail.ParseDomain(host[dot+1:])
		if err != nil || label[0] == '[' || len(label)+1+len(d) > maxDomain {
			break
		}
		if d != "" {
			label += "." + d
		}
		d, host = label, host[:max(dot, 0)]
	}
	if !strings.Contains(d, ".") {
		return ""
	}
	return d
}

// ipv4 reads an address of IPv4 in all the ways in which browsers read one: in
// one to four numbers, decimal, octal or hexadecimal, the last of which fills
// what the others leave. 0x7f.1 is 127.0.0.1.
func ipv4(s string) (netip.Addr, bool) {
	parts := strings.Split(s, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var ip uint64
	for i, p := range parts {
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (5 - len(parts))
		}
		n, err := number(p, bits)
		if err != nil {
			return netip.Addr{}, false
		}
		ip = ip<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(ip >> 24), byte(ip >> 16), byte(ip >> 8), byte(ip)}), true
}

func number(s string, bits int) (uint64, error) {
	base := 10
	switch lower := strings.ToLower(s); {
	case strings.HasPrefix(lower, "0x"):
		s, base = s[2:], 16
	case len(s) > 1 && s[0] == '0':
		s, base = s[1:], 8
	}
	return strconv.ParseUint(s, base, bits)
}
