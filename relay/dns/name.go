package dns

import (
	"strings"

	mdns "github.com/miekg/dns"
)

// canonical is a name as questions and caches use it: lower case, with a final
// dot. What no server could be asked for is a BadName: empty or long labels,
// octets outside ASCII (a U-label is asked for as an A-label) and controls,
// which reach us through SPF macros and forged addresses. A blank is an octet
// like others: SPF has a macro for it.
func canonical(name string, qtype uint16) (string, error) {
	if name == "" {
		return "", badName(name, qtype)
	}
	if ordinary(name) {
		return strings.TrimSuffix(name, ".") + ".", nil
	}
	for i := 0; i < len(name); i++ {
		if c := name[i]; c < ' ' || c >= 0x7f {
			return "", badName(name, qtype)
		}
	}
	if _, ok := mdns.IsDomainName(name); !ok {
		return "", badName(name, qtype)
	}
	return strings.ToLower(mdns.Fqdn(name)), nil
}

// ordinary tells whether name is one as nearly all are: lower case letters,
// digits, hyphens and underscores in labels of the right length.
func ordinary(name string) bool {
	label := 0
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '_':
			label++
		case c == '.' && label > 0:
			label = 0
		default:
			return false
		}
		if label > 63 {
			return false
		}
	}
	return len(name) <= 253
}

func badName(name string, qtype uint16) error {
	if len(name) > 80 {
		name = name[:80] + "..."
	}
	return &Error{Kind: BadName, Name: strings.ToValidUTF8(name, "?"), Type: qtype, Text: "this is not a name that the DNS could have"}
}

// parent is the name without its first label; "." is its own.
func parent(name string) string {
	if i, end := mdns.NextLabel(name, 0); !end {
		return name[i:]
	}
	return "."
}

// undotted is a name as mail writes it: without the final dot. The root is "".
func undotted(name string) string {
	return strings.ToLower(strings.TrimSuffix(name, "."))
}
