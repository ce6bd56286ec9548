package spf

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// The grammar of RFC 7208 section 12, as regular expressions (RE2: linear time).
// The macros c, r and t stand in explanations only (section 7.2).
const (
	expand   = `(?:%\{[slodiphvSLODIPHV][0-9]*[rR]?[-.+,/_=]*\}|%%|%_|%-)`
	macros   = `(?:` + expand + `|[!-$&-~])*`
	topLabel = `(?:[0-9A-Za-z]*[A-Za-z][0-9A-Za-z]*|[0-9A-Za-z]+-[0-9A-Za-z-]*[0-9A-Za-z])`
	domain   = macros + `(?:\.` + topLabel + `\.?|` + expand + `)`
	cidr     = `(?:0|[1-9][0-9]{0,2})`
)

var (
	reNamed    = regexp.MustCompile(`^(?i:include|exists):` + domain + `$`)
	reHosts    = regexp.MustCompile(`^(?i:a|mx)(?::` + domain + `)?(?:/(` + cidr + `))?(?://(` + cidr + `))?$`)
	rePTR      = regexp.MustCompile(`^(?i:ptr)(?::` + domain + `)?$`)
	reNetwork  = regexp.MustCompile(`^(?i:ip([46])):([0-9A-Fa-f:.]+)(?:/(` + cidr + `))?$`)
	reModifier = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9._-]*)=(` + macros + `)$`)
	reDomain   = regexp.MustCompile(`^` + domain + `$`)
)

// broken is a record that the library calls a permerror, as it would have to
// call the one that it stands for.
const broken = "v=spf1 syntax-error"

// maxRecord is how long a record may be: the DNS carries no more over UDP (RFC
// 7208 section 3.4 asks for 450 octets), and each term costs work.
const maxRecord = 4096

// isRecord tells whether a TXT record is an SPF record, RFC 7208 section 4.5.
func isRecord(txt string) bool {
	return len(txt) >= 6 && strings.EqualFold(txt[:6], "v=spf1") && (len(txt) == 6 || txt[6] == ' ')
}

// valid checks a whole record: a syntax error anywhere makes a permerror,
// whether or not a term before it matches (RFC 7208 section 4.6). The library
// reads from the left and never sees what stands behind a match.
func valid(record string) bool {
	if len(record) > maxRecord {
		return false
	}
	once := map[string]bool{}
	for _, term := range strings.Split(record[6:], " ") {
		if term == "" {
			continue
		}
		if m := reModifier.FindStringSubmatch(term); m != nil {
			if !validModifier(strings.ToLower(m[1]), m[2], once) {
				return false
			}
		} else if !validMechanism(term) {
			return false
		}
	}
	return true
}

// validModifier: redirect and exp name a domain and stand once at most, RFC
// 7208 section 6. Others are unknown and mean nothing.
func validModifier(name, value string, once map[string]bool) bool {
	if name != "redirect" && name != "exp" {
		return true
	}
	again := once[name]
	once[name] = true
	return !again && reDomain.MatchString(value)
}

func validMechanism(term string) bool {
	if strings.IndexByte("+-?~", term[0]) >= 0 {
		term = term[1:]
	}
	if strings.EqualFold(term, "all") || reNamed.MatchString(term) || rePTR.MatchString(term) {
		return true
	}
	if m := reHosts.FindStringSubmatch(term); m != nil {
		return within(m[1], 32) && within(m[2], 128)
	}
	if m := reNetwork.FindStringSubmatch(term); m != nil {
		return validNetwork(m[1], m[2], m[3])
	}
	return false
}

func validNetwork(family, addr, bits string) bool {
	ip, err := netip.ParseAddr(addr)
	if err != nil {
		return false
	}
	if family == "4" {
		return ip.Is4() && within(bits, 32)
	}
	return ip.Is6() && within(bits, 128)
}

func within(bits string, most int) bool {
	n, err := strconv.Atoi(bits)
	return bits == "" || err == nil && n <= most
}
