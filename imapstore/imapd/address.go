package imapd

import "strings"

// address is one entry of an address list in ENVELOPE. Nothing in it is
// decoded: relay/mime has Mailboxes for people, this is for clients.
type address struct {
	kind                       addressKind
	name, route, local, domain string
}

type addressKind uint8

const (
	mailbox addressKind = iota
	groupStart
	groupEnd
)

// addressParser reads a list (RFC 5322 section 3.4) from left to right, each
// octet once, and makes the best of what is no list.
type addressParser struct {
	s       string
	i       int
	list    []address
	inGroup bool

	// Of the mailbox being read.
	words   []string
	comment string
	at      int // words before the "@", or -1
	angle   *address
}

func parseAddresses(s string) []address {
	p := &addressParser{s: s, at: -1}
	for p.i < len(p.s) {
		p.token()
	}
	p.endMailbox()
	p.endGroup()
	return p.list
}

func (p *addressParser) token() {
	switch c := p.s[p.i]; c {
	case ' ', '\t', '\r', '\n':
		p.i++
	case ',':
		p.i++
		p.endMailbox()
	case ';':
		p.i++
		p.endMailbox()
		p.endGroup()
	case ':':
		p.i++
		p.startGroup()
	case '(':
		p.comment = p.nested()
	case '<':
		p.i++
		p.angle = p.angleAddr()
	case '>':
		p.i++
	case '@':
		p.i++
		if p.at < 0 {
			p.at = len(p.words)
		}
	default:
		p.words = append(p.words, p.word("(<>,;:@ \t\r\n\""))
	}
}

// word reads a quoted string, or a run that ends before a stop octet.
func (p *addressParser) word(stops string) string {
	if p.s[p.i] == '"' {
		return p.quoted()
	}
	start := p.i
	if p.s[p.i] == '[' { // a domain literal
		if end := strings.IndexByte(p.s[p.i:], ']'); end > 0 {
			p.i += end + 1
			return p.s[start:p.i]
		}
	}
	for p.i < len(p.s) && strings.IndexByte(stops, p.s[p.i]) < 0 {
		p.i++
	}
	return p.s[start:p.i]
}

func (p *addressParser) quoted() string {
	var b strings.Builder
	for p.i++; p.i < len(p.s); p.i++ {
		switch c := p.s[p.i]; {
		case c == '"':
			p.i++
			return b.String()
		case c == '\\' && p.i+1 < len(p.s):
			p.i++
			b.WriteByte(p.s[p.i])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// nested reads a comment.
func (p *addressParser) nested() string {
	var b strings.Builder
	depth := 0
	for ; p.i < len(p.s); p.i++ {
		c := p.s[p.i]
		switch {
		case c == '\\' && p.i+1 < len(p.s):
			p.i++
			c = p.s[p.i]
		case c == '(':
			if depth++; depth == 1 {
				continue
			}
		case c == ')':
			if depth--; depth == 0 {
				p.i++
				return b.String()
			}
		}
		b.WriteByte(c)
	}
	return b.String()
}

// angleAddr reads what stands between "<" and ">".
func (p *addressParser) angleAddr() *address {
	a := &address{}
	var local, domain strings.Builder
	to := &local
	for p.i < len(p.s) {
		switch c := p.s[p.i]; c {
		case '>':
			p.i++
			a.local, a.domain = local.String(), domain.String()
			return a
		case ' ', '\t', '\r', '\n':
			p.i++
		case '(':
			p.nested()
		case '@':
			if p.i++; to == &local && local.Len() == 0 && a.route == "" {
				a.route = p.route()
				continue
			}
			to = &domain
		case ',', ';', ':', '<': // out of place
			to.WriteByte(c)
			p.i++
		default:
			to.WriteString(p.word("(<>,;:@ \t\r\n\""))
		}
	}
	a.local, a.domain = local.String(), domain.String()
	return a
}

// route reads the source route of RFC 5322 section 4.4 up to its colon.
func (p *addressParser) route() string {
	end := strings.IndexAny(p.s[p.i:], ":>")
	if end < 0 || p.s[p.i+end] == '>' {
		return ""
	}
	r := "@" + strings.Join(strings.Fields(p.s[p.i:p.i+end]), "")
	p.i += end + 1
	return r
}

func (p *addressParser) startGroup() {
	if p.inGroup || p.at >= 0 || p.angle != nil {
		return // a colon out of place
	}
	p.list = append(p.list, address{kind: groupStart, local: strings.Join(p.words, " ")})
	p.inGroup = true
	p.reset()
}

func (p *addressParser) endGroup() {
	if p.inGroup {
		p.list = append(p.list, address{kind: groupEnd})
		p.inGroup = false
	}
}

func (p *addressParser) endMailbox() {
	defer p.reset()
	a := address{name: p.comment}
	switch {
	case p.angle != nil:
		a = *p.angle
		if a.name = strings.Join(p.words, " "); a.name == "" {
			a.name = p.comment
		}
	case p.at >= 0:
		a.local, a.domain = strings.Join(p.words[:p.at], ""), strings.Join(p.words[p.at:], "")
	case len(p.words) > 0:
		a.local = strings.Join(p.words, " ") // no address at all: shown as it is
	default:
		return
	}
	p.list = append(p.list, a)
}

func (p *addressParser) reset() { p.words, p.comment, p.at, p.angle = nil, "", -1, nil }
