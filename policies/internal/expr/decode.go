package expr

import (
	"strings"

	"github.com/forepost/forepost/policies/internal/lists"
	"github.com/forepost/forepost/relay/mime"
)

// DecodeText is an unstructured field's value unfolded, with its RFC 2047
// encoded words decoded.
func DecodeText(raw string) string { return mime.Field{Raw: raw}.Text() }

type nameAddress struct{ name, address string }

// addressesOf reads an address list as mail clients do: forgers write what
// readers show. What is no address (local@domain) is left out.
func addressesOf(raw string) []nameAddress {
	list, _ := mime.Mailboxes(raw)
	var out []nameAddress
	for _, m := range list {
		if strings.Contains(m.Address, "@") {
			out = append(out, nameAddress{m.Name, lowerDomain(m.Address)})
		}
	}
	return out
}

func lowerDomain(a string) string {
	i := strings.LastIndexByte(a, '@')
	if low := lists.Lower(a[i+1:]); low != a[i+1:] {
		return a[:i+1] + low
	}
	return a
}

func domainOf(a string) string { return lists.Lower(a[strings.LastIndexByte(a, '@')+1:]) }
