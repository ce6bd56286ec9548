package expr

import (
	"io"
	stdmime "mime"
	netmail "net/mail"
	"strings"

	"golang.org/x/text/encoding/htmlindex"
)

// words decodes RFC 2047, in the character sets that browsers know.
var words = &stdmime.WordDecoder{CharsetReader: func(charset string, in io.Reader) (io.Reader, error) {
	enc, err := htmlindex.Get(charset)
	if err != nil {
		return nil, err
	}
	return enc.NewDecoder().Reader(in), nil
}}

// DecodeText is an unstructured field's value unfolded, with its RFC 2047
// encoded words decoded, and as it stands where that cannot be done.
func DecodeText(raw string) string {
	s := unfold(raw)
	if !strings.Contains(s, "=?") {
		return s
	}
	if d, err := words.DecodeHeader(s); err == nil {
		return d
	}
	return s
}

// unfold takes the folds out (RFC 5322 section 2.2.3) and trims.
func unfold(raw string) string {
	if strings.Contains(raw, "\r\n") {
		raw = strings.ReplaceAll(raw, "\r\n", "")
	}
	return strings.TrimSpace(raw)
}

type nameAddress struct{ name, address string }

// addressesOf reads an address list. What net/mail cannot read is still looked
// into for an address, since forgers write what readers show and parsers refuse.
func addressesOf(raw string) []nameAddress {
	s := unfold(raw)
	if s == "" {
		return nil
	}
	p := netmail.AddressParser{WordDecoder: words}
	list, err := p.ParseList(s)
	if err != nil {
		return salvage(s)
	}
	out := make([]nameAddress, len(list))
	for i, a := range list {
		out[i] = nameAddress{a.Name, lowerDomain(a.Address)}
	}
	return out
}

// salvage takes the last thing in angle brackets, or else the first word with
// an @, for the address.
func salvage(s string) []nameAddress {
	if i := strings.LastIndexByte(s, '<'); i >= 0 {
		if j := strings.IndexByte(s[i:], '>'); j > 0 {
			return []nameAddress{{DecodeText(strings.Trim(s[:i], " \"")), lowerDomain(strings.TrimSpace(s[i+1 : i+j]))}}
		}
	}
	for _, w := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" ,;<>\"\t", r) }) {
		if strings.Contains(w, "@") {
			return []nameAddress{{"", lowerDomain(w)}}
		}
	}
	return nil
}

func lowerDomain(a string) string {
	i := strings.LastIndexByte(a, '@')
	return a[:i+1] + strings.ToLower(a[i+1:])
}

func domainOf(a string) string { return strings.ToLower(a[strings.LastIndexByte(a, '@')+1:]) }
