package inbound

import (
	"errors"
	"strings"

	"github.com/forepost/forepost/relay/mail"
)

// errPath is what parsePath says of an argument of another form.
var errPath = errors.New("not of the form FROM:<address> or TO:<address>")

// parsePath takes the argument of MAIL or RCPT apart: prefix ("FROM:", "TO:"),
// the path, the parameters behind it (with their leading space). go-smtp takes
// the quotes off local parts and cannot be asked for them; so the wire reads
// paths itself and hands go-smtp the clean form.
func parsePath(arg, prefix string) (path, params string, err error) {
	if len(arg) < len(prefix) || !strings.EqualFold(arg[:len(prefix)], prefix) {
		return "", "", errPath
	}
	s := strings.TrimLeft(arg[len(prefix):], " ")
	if s == "" {
		return "", "", errPath
	}
	end := pathEnd(s)
	path, params = s[:end], s[end:]
	if path[0] == '<' {
		if len(path) < 2 || path[len(path)-1] != '>' {
			return "", "", errPath
		}
		path = cutRoute(path[1 : len(path)-1])
	}
	if params != "" && params[0] != ' ' {
		return "", "", errPath
	}
	return path, strings.TrimRight(params, " "), nil
}

// pathEnd is where the path at the start of s ends: behind its bracket, or at a
// space where it has none. Neither counts within quotes.
func pathEnd(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '>' && s[0] == '<':
			return i + 1
		case c == ' ' && s[0] != '<':
			return i
		}
	}
	return len(s)
}

// cutRoute takes off a source route, which is to be ignored (RFC 5321 appendix
// C): @one,@two:user@example.org.
func cutRoute(path string) string {
	if strings.HasPrefix(path, "@") {
		if i := strings.IndexByte(path, ':'); i >= 0 {
			return path[i+1:]
		}
	}
	return path
}

// asText is an address as text: what was parsed, where that is the same.
func asText(a mail.Address, parsed string) string {
	n := len(a.Local)
	if len(parsed) == n+1+len(a.Domain) && n > 0 && a.Domain != "" && parsed[:n] == a.Local && parsed[n+1:] == a.Domain {
		return parsed // it has no quotes, which would make it longer
	}
	return a.String()
}

// parseRecipient also takes <Postmaster> without a domain (RFC 5321 section
// 4.5.1).
func parseRecipient(path string, utf8ok bool) (mail.Address, error) {
	if strings.EqualFold(path, "postmaster") {
		return mail.Address{Local: path}, nil
	}
	a, err := mail.ParseAddress(path, utf8ok)
	if err == nil && a.IsNull() {
		return a, errPath
	}
	return a, err
}

// addressReply is the refusal of an address; detail is 7 of a sender and 3 of a
// recipient (RFC 3463 section 3.2).
func addressReply(err error, detail int) mail.Reply {
	switch {
	case errors.Is(err, mail.ErrAddressUTF8):
		return mail.Refuse(53, 6, 7, "The address needs SMTPUTF8, which was not asked for") // RFC 6531 section 3.5
	case errors.Is(err, mail.ErrAddressLong):
		return mail.Refuse(1, 1, detail, "The address is too long")
	case errors.Is(err, mail.ErrAddressSyntax):
		return mail.Refuse(1, 1, detail, "The address is not of the form local@domain")
	}
	return mail.Refuse(1, 5, 4, "Syntax: MAIL FROM:<address> or RCPT TO:<address>")
}
