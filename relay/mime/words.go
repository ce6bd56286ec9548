package mime

import (
	"encoding/base64"
	"strings"
)

// decodeWords undoes encoded words (RFC 2047) wherever they stand, and makes
// the rest UTF-8. What only looks like an encoded word stays as it is.
func decodeWords(s string) string {
	if !strings.Contains(s, "=?") {
		return toUTF8("", s)
	}
	var out strings.Builder
	var run wordRun
	for len(s) > 0 {
		i := strings.Index(s, "=?")
		if i < 0 {
			break
		}
		charset, octets, rest, ok := cutWord(s[i:])
		if !ok {
			run.flush(&out)
			out.WriteString(toUTF8("", s[:i+2]))
			s = s[i+2:]
			continue
		}
		// White space between two encoded words is not shown (section 6.2).
		if !run.open || !isBlank(s[:i]) {
			run.flush(&out)
			out.WriteString(toUTF8("", s[:i]))
		}
		run.add(&out, charset, octets)
		s = rest
	}
	run.flush(&out)
	out.WriteString(toUTF8("", s))
	return out.String()
}

// wordRun gathers neighbouring encoded words of one charset: many senders part
// a character between two of them.
type wordRun struct {
	open    bool
	charset string
	octets  []byte
}

func (r *wordRun) add(out *strings.Builder, charset string, octets []byte) {
	if r.open && r.charset != charset {
		r.flush(out)
	}
	r.open, r.charset = true, charset
	r.octets = append(r.octets, octets...)
}

func (r *wordRun) flush(out *strings.Builder) {
	if r.open {
		out.WriteString(toUTF8(r.charset, string(r.octets)))
	}
	r.open, r.octets = false, r.octets[:0]
}

// cutWord reads an encoded word at the start of s. Each part of it ends at the
// next question mark, so that a field full of broken ones takes linear time.
func cutWord(s string) (charset string, octets []byte, rest string, ok bool) {
	charset, s, ok = strings.Cut(s[2:], "?")
	if !ok || charset == "" || len(charset) > 60 || strings.ContainsAny(charset, " \t") {
		return "", nil, "", false
	}
	enc, s, ok := strings.Cut(s, "?")
	if !ok || len(enc) != 1 {
		return "", nil, "", false
	}
	text, rest, ok := strings.Cut(s, "?")
	if !ok || !strings.HasPrefix(rest, "=") {
		return "", nil, "", false
	}
	charset, _, _ = strings.Cut(strings.ToLower(charset), "*") // a language, RFC 2231 section 5
	switch enc {
	case "q", "Q":
		return charset, decodeQ(text), rest[1:], true
	case "b", "B":
		return charset, decodeB(text), rest[1:], true
	}
	return "", nil, "", false
}

// decodeQ is RFC 2047 section 4.2.
func decodeQ(s string) []byte {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '_':
			b = append(b, ' ')
		case s[i] == '=' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			b = append(b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			b = append(b, s[i])
		}
	}
	return b
}

// decodeB is RFC 2047 section 4.1; missing padding and a cut end are common.
func decodeB(s string) []byte {
	s = strings.TrimRight(strings.Trim(s, " \t"), "=")
	if len(s)%4 == 1 {
		s = s[:len(s)-1]
	}
	b, _ := base64.RawStdEncoding.DecodeString(s)
	return b
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func unhex(c byte) byte {
	switch {
	case c >= 'a':
		return c - 'a' + 10
	case c >= 'A':
		return c - 'A' + 10
	}
	return c - '0'
}
