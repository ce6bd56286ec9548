package mime

import "strings"

// param is one parameter of a structured field, as it stands there.
type param struct {
	name  string // lower case
	value string // quotes and comments taken off
	loose string // what a reader sees who takes all up to the semicolon; else ""
}

// scanner reads a structured field from left to right, each octet once.
type scanner struct {
	s string
	i int
}

func (sc *scanner) more() bool { return sc.i < len(sc.s) }

// skip passes over white space and comments, RFC 5322 section 3.2.2. A comment
// that does not end takes all the rest.
func (sc *scanner) skip() {
	for sc.more() {
		switch sc.s[sc.i] {
		case ' ', '\t', '\r', '\n':
			sc.i++
		case '(':
			sc.comment()
		default:
			return
		}
	}
}

// comment passes over a comment and returns what stands in it.
func (sc *scanner) comment() string {
	start, depth := sc.i+1, 0
	for sc.more() {
		c := sc.s[sc.i]
		sc.i++
		switch c {
		case '\\':
			sc.i = min(sc.i+1, len(sc.s))
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return sc.s[start : sc.i-1]
			}
		}
	}
	return sc.s[min(start, len(sc.s)):]
}

// quoted reads a quoted string, RFC 5322 section 3.2.4; the scanner stands on
// its quote. One that does not end takes all the rest.
func (sc *scanner) quoted() string {
	var b strings.Builder
	for sc.i++; sc.more(); sc.i++ {
		switch c := sc.s[sc.i]; c {
		case '"':
			sc.i++
			return b.String()
		case '\\':
			if sc.i+1 < len(sc.s) {
				sc.i++
				b.WriteByte(sc.s[sc.i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// until reads up to one of the stop octets, which it leaves.
func (sc *scanner) until(stop string) string {
	start := sc.i
	for sc.more() && strings.IndexByte(stop, sc.s[sc.i]) < 0 {
		sc.i++
	}
	return sc.s[start:sc.i]
}

// maxParams bounds the parameters of one field.
const maxParams = 1000

// parseStructured reads "value; name=value; ..." (RFC 2045 section 5.1) as
// clients do: lenient about spaces, missing quotes and empty parameters. whole is
// false where there were more parameters than are looked at.
func parseStructured(raw string) (value string, ps []param, whole bool) {
	sc := &scanner{s: unfold(raw)}
	sc.skip()
	value = strings.ToLower(sc.until("; \t\r\n("))
	sc.skip()
	for sc.more() {
		if sc.s[sc.i] != ';' {
			sc.until(";") // something between value and parameters
			continue
		}
		if len(ps) >= maxParams {
			return value, ps, false
		}
		sc.i++
		if p, ok := sc.param(); ok {
			ps = append(ps, p)
		}
	}
	return value, ps, true
}

func (sc *scanner) param() (p param, ok bool) {
	sc.skip()
	name := strings.TrimRight(sc.until("=;"), " \t\r\n")
	if !sc.more() || sc.s[sc.i] == ';' {
		return param{}, false
	}
	sc.i++ // the equals sign
	sc.skip()
	p.name = strings.ToLower(name)
	start := sc.i
	if sc.more() && sc.s[sc.i] == '"' {
		p.value = sc.quoted()
		if rest := strings.Trim(sc.until(";"), " \t\r\n"); rest != "" {
			p.loose = p.value + rest
		}
		return p, name != ""
	}
	p.value = strings.TrimRight(sc.until(";("), " \t\r\n")
	sc.skip()
	sc.until(";")
	if all := strings.Trim(sc.s[start:sc.i], " \t\r\n"); all != p.value {
		p.loose = all
	}
	return p, name != ""
}
