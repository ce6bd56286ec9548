package imapstore

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Inbox is the one mailbox that every account has.
const Inbox = "INBOX"

// Bounds of a mailbox name, in octets and in levels.
const (
	maxName   = 1000
	maxLevels = 32
)

// CleanName is the form of a mailbox name that every engine keeps: Net-Unicode
// (RFC 9051 section 5.1, RFC 5198), INBOX in capitals also as the first level,
// no separator at the end. ErrName says that it cannot be used: it is empty or
// too long, has an empty level or a control character, or is not UTF-8.
func CleanName(name string) (string, error) {
	name = strings.TrimSuffix(name, "/")
	if name == "" || len(name) > maxName || !utf8.ValidString(name) {
		return "", ErrName
	}
	name = norm.NFC.String(name)
	levels := strings.Split(name, "/")
	if len(levels) > maxLevels {
		return "", ErrName
	}
	for _, l := range levels {
		if l == "" || strings.IndexFunc(l, unusable) >= 0 {
			return "", ErrName
		}
	}
	if strings.EqualFold(levels[0], Inbox) {
		levels[0] = Inbox
	}
	return strings.Join(levels, "/"), nil
}

// unusable are the characters that a name must not have: controls, the line and
// paragraph separators (RFC 9051 section 5.1) and what stands for a broken octet.
func unusable(r rune) bool {
	return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' || r == utf8.RuneError
}

// Parents are the levels above a clean name, the highest first.
func Parents(name string) []string {
	var up []string
	for i := 0; i < len(name); i++ {
		if name[i] == '/' {
			up = append(up, name[:i])
		}
	}
	return up
}
