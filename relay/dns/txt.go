package dns

import "strings"

// The library keeps the strings of TXT records in presentation format (RFC
// 1035 section 5.1): \DDD and \X. Outside of it they are raw octets.

// escape turns raw octets into presentation format.
func escape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			b.Write([]byte{'\\', '0' + c/100, '0' + c/10%10, '0' + c%10})
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// unescape turns presentation format into raw octets.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if n, ok := octet(s[i:]); ok {
			b.WriteByte(n)
			i += 2
		} else {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// octet reads the three digits of a \DDD.
func octet(s string) (byte, bool) {
	if len(s) < 3 {
		return 0, false
	}
	n := 0
	for i := 0; i < 3; i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return byte(n), n <= 255
}

// pieces cuts the text of a TXT record into strings of at most 255 octets,
// RFC 1035 section 3.3.
func pieces(s string) []string {
	var out []string
	for len(s) > 255 {
		out, s = append(out, s[:255]), s[255:]
	}
	return append(out, s)
}
