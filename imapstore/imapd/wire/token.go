package wire

import (
	"math"
	"strings"
	"unicode/utf8"
)

// isAtom tells ATOM-CHAR (RFC 9051 section 9).
func isAtom(c byte) bool {
	return c > ' ' && c < 0x7f && strings.IndexByte(`(){%*"\]`, c) < 0
}

func (d *Decoder) run(ok func(byte) bool) string {
	var b []byte
	for d.err == nil {
		c := d.peek()
		if c == 0 || !ok(c) {
			break
		}
		b = append(b, c)
		d.skip()
	}
	return string(b)
}

func (d *Decoder) some(ok func(byte) bool, what string) string {
	s := d.run(ok)
	if s == "" {
		d.Bad("%s is missing", what)
	}
	return s
}

// Tag reads a command's tag: an astring's atom without "+".
func (d *Decoder) Tag() string {
	return d.some(func(c byte) bool { return c != '+' && (isAtom(c) || c == ']') }, "a tag")
}

// Atom reads an atom.
func (d *Decoder) Atom() string { return d.some(isAtom, "a word") }

// Word reads an atom in upper case: commands, keys and options.
func (d *Decoder) Word() string { return strings.ToUpper(d.Atom()) }

// Label reads a word of A-Z, 0-9, "." and "-" in upper case, as fetch items
// and section names are: unlike an atom it ends at "[" and "<".
func (d *Decoder) Label() string {
	return strings.ToUpper(d.some(func(c byte) bool {
		return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' || c == '-'
	}, "a name"))
}

// Flag reads a flag: "\" atom or atom.
func (d *Decoder) Flag() string {
	if d.Take('\\') {
		return `\` + d.Atom()
	}
	return d.Atom()
}

// Text reads a string: quoted or a literal.
func (d *Decoder) Text() string {
	switch d.peek() {
	case '"':
		return d.quoted()
	case '{', '~':
		return d.literal()
	}
	d.Bad("a string is missing")
	return ""
}

// AString reads an atom (with "]") or a string.
func (d *Decoder) AString() string {
	if c := d.peek(); c == '"' || c == '{' {
		return d.Text()
	}
	return d.some(func(c byte) bool { return isAtom(c) || c == ']' }, "a word or a string")
}

// ListMailbox reads a pattern of LIST: as AString, with the wildcards.
func (d *Decoder) ListMailbox() string {
	if c := d.peek(); c == '"' || c == '{' {
		return d.Text()
	}
	return d.some(func(c byte) bool { return isAtom(c) || c == ']' || c == '%' || c == '*' }, "a mailbox pattern")
}

// NString reads NIL or a string.
func (d *Decoder) NString() (s string, ok bool) {
	if c := d.peek(); c == '"' || c == '{' {
		return d.Text(), true
	}
	if !strings.EqualFold(d.Atom(), "NIL") {
		d.Bad("NIL or a string is missing")
	}
	return "", false
}

// quoted reads a quoted string. UTF-8 in it is taken whether enabled or not:
// old clients send passwords so.
func (d *Decoder) quoted() string {
	d.Expect('"')
	var b []byte
	for d.err == nil {
		c := d.peek()
		switch c {
		case '"':
			d.skip()
			if !utf8.Valid(b) {
				d.Bad("a quoted string is not UTF-8")
			}
			return string(b)
		case '\r', '\n':
			d.Bad("a quoted string does not end on its line")
			return ""
		case '\\':
			d.skip()
			if c = d.peek(); c != '"' && c != '\\' {
				d.Bad(`only \ and " are quoted by \`)
				return ""
			}
		}
		b = append(b, c)
		d.skip()
	}
	return ""
}

// Number reads a number of 32 bits.
func (d *Decoder) Number() uint32 {
	n := d.Number64()
	if n > math.MaxUint32 {
		d.Bad("a number is too big")
	}
	return uint32(n)
}

// Number64 reads a number of 63 bits (RFC 9051 number64, mod-sequences).
func (d *Decoder) Number64() uint64 {
	s := d.some(isDigit, "a number")
	n, ok := parseNumber(s)
	if !ok {
		d.Bad("a number is too big")
	}
	return n
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func parseNumber(s string) (n uint64, ok bool) {
	for i := 0; i < len(s); i++ {
		if n > (math.MaxInt64-9)/10 {
			return 0, false
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return n, true
}

// Line reads the rest of the line as it stands, its CRLF too, and with it the
// command ends: answers of SASL and DONE.
func (d *Decoder) Line() string {
	s := d.run(func(c byte) bool { return c != '\r' })
	d.End()
	return s
}

// SASL reads an initial response: base64, or "=" for an empty one (RFC 4959).
func (d *Decoder) SASL() string {
	return d.some(func(c byte) bool { return isAtom(c) }, "an initial response")
}

// IsAtom tells whether s can go out as an atom.
func IsAtom(s string) bool {
	for i := 0; i < len(s); i++ {
		if !isAtom(s[i]) {
			return false
		}
	}
	return s != ""
}
