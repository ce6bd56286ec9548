package dkimkeys

import (
	"fmt"
	"strings"
)

// recordTTL is the time to live of the records, in seconds: an hour, so that a
// mistake is gone soon.
const recordTTL = 3600

// maxString is how long one string of a TXT record may be, RFC 1035 section 3.3.
const maxString = 255

// Bind is the record of a key in master format (RFC 1035 section 5.1), its text
// in strings of at most 255 octets.
func Bind(k Key) string {
	parts := pieces(k.Record())
	if len(parts) == 1 {
		return fmt.Sprintf("%s. %d IN TXT %q\n", k.Name(), recordTTL, parts[0])
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s. %d IN TXT (\n", k.Name(), recordTTL)
	for _, p := range parts {
		fmt.Fprintf(&b, "\t%q\n", p)
	}
	b.WriteString("\t)\n")
	return b.String()
}

// pieces cuts the text of a record.
func pieces(s string) (out []string) {
	for len(s) > maxString {
		out, s = append(out, s[:maxString]), s[maxString:]
	}
	return append(out, s)
}
