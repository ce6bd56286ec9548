package sasl

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"
)

// maxMessage bounds a message of SCRAM, in octets; a name may have 320 of them
// and a nonce rarely has 50.
const maxMessage = 4096

// clientFirst is the first message of a client, RFC 5802 section 7.
type clientFirst struct {
	header  string // the gs2-header with its last comma
	flag    byte   // n: cannot bind; y: could, and saw no offer; p: binds
	binding string // the name of the binding behind p=
	authz   string
	bare    string // the message without the header
	user    string
	nonce   string
}

func parseFirst(msg string) (m clientFirst, ok bool) {
	if len(msg) > maxMessage || !utf8.ValidString(msg) || strings.IndexByte(msg, 0) >= 0 {
		return m, false
	}
	flag, rest, ok1 := strings.Cut(msg, ",")
	authz, bare, ok2 := strings.Cut(rest, ",")
	if !ok1 || !ok2 || flag == "" {
		return m, false
	}
	m.header, m.bare = msg[:len(msg)-len(bare)], bare
	switch m.flag = flag[0]; {
	case flag == "n" || flag == "y":
	case strings.HasPrefix(flag, "p=") && isBindingName(flag[2:]):
		m.binding = flag[2:]
	default:
		return m, false
	}
	if authz != "" {
		if m.authz, ok = saslname(authz, "a="); !ok {
			return m, false
		}
	}
	// A message that begins with m= has an extension that must be understood.
	user, rest, _ := strings.Cut(bare, ",")
	nonce, more, extended := strings.Cut(rest, ",")
	if m.user, ok = saslname(user, "n="); !ok {
		return m, false
	}
	m.nonce, ok = strings.CutPrefix(nonce, "r=")
	return m, ok && isNonce(m.nonce) && (!extended || areExtensions(more))
}

// clientFinal is the last message of a client.
type clientFinal struct {
	binding string // c=, decoded
	nonce   string
	bare    string // the message without the proof
	proof   []byte
}

func parseFinal(msg string) (m clientFinal, ok bool) {
	if len(msg) > maxMessage || !utf8.ValidString(msg) || strings.IndexByte(msg, 0) >= 0 {
		return m, false
	}
	i := strings.LastIndex(msg, ",p=")
	if i < 0 {
		return m, false
	}
	m.bare = msg[:i]
	c, rest, _ := strings.Cut(m.bare, ",")
	nonce, more, extended := strings.Cut(rest, ",")
	c, ok1 := strings.CutPrefix(c, "c=")
	m.nonce, ok = strings.CutPrefix(nonce, "r=")
	if !ok1 || !ok || extended && !areExtensions(more) {
		return m, false
	}
	data, err1 := base64.StdEncoding.Strict().DecodeString(c)
	proof, err2 := base64.StdEncoding.Strict().DecodeString(msg[i+3:])
	if err1 != nil || err2 != nil || strings.ContainsAny(msg, "\r\n") {
		return m, false
	}
	m.binding, m.proof = string(data), proof
	return m, true
}

// saslname reads a name: =2C is a comma, =3D an equals sign, and no other = may
// be there (RFC 5802 section 5.1).
func saslname(s, prefix string) (string, bool) {
	s, ok := strings.CutPrefix(s, prefix)
	if !ok || s == "" {
		return "", false
	}
	var b strings.Builder
	for {
		before, after, more := strings.Cut(s, "=")
		b.WriteString(before)
		switch {
		case !more:
			return b.String(), true
		case strings.HasPrefix(after, "2C"):
			b.WriteByte(',')
		case strings.HasPrefix(after, "3D"):
			b.WriteByte('=')
		default:
			return "", false
		}
		s = after[2:]
	}
}

// isBindingName: letters, digits, dots and dashes.
func isBindingName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-") == ""
}

// isNonce: printable ASCII without a comma.
func isNonce(s string) bool {
	bad := func(r rune) bool { return r <= ' ' || r > '~' || r == ',' }
	return s != "" && !strings.ContainsFunc(s, bad)
}

// areExtensions tells whether what follows are attributes, which we need not
// know: a letter, =, and a value.
func areExtensions(s string) bool {
	for a := range strings.SplitSeq(s, ",") {
		if len(a) < 3 || a[1] != '=' || a[0]|0x20 < 'a' || a[0]|0x20 > 'z' {
			return false
		}
	}
	return true
}
