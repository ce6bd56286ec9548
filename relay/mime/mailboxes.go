package mime

import "strings"

// Mailbox is an address of a header field (RFC 5322 section 3.4).
type Mailbox struct {
	Name    string // for people; encoded words undone
	Address string // as written: local@domain
	Group   string // the group that it stands in, "" for none
}

// maxMailboxes bounds what is made of one field.
const maxMailboxes = 10000

// maxLiteral bounds the search for the end of a domain literal.
const maxLiteral = 64

// Mailboxes reads an address list as leniently as mail clients do. ok is false
// where parts of it could not be read.
func Mailboxes(raw string) (list []Mailbox, ok bool) {
	if m, ok := plainMailbox(raw); ok {
		return []Mailbox{m}, true
	}
	return readMailboxes(raw)
}

// Author is the first address of a field, as readers are shown it: what has no at
// sign is none. ok is false where there is none.
func Author(raw string) (m Mailbox, ok bool) {
	if m, ok = plainMailbox(raw); ok {
		return m, true
	}
	list, _ := readMailboxes(raw)
	for _, m := range list {
		if strings.Contains(m.Address, "@") {
			return m, true
		}
	}
	return Mailbox{}, false
}

func readMailboxes(raw string) (list []Mailbox, ok bool) {
	r := listReader{scanner: scanner{s: unfold(raw)}, ok: true}
	for r.more() {
		if len(r.list) >= maxMailboxes {
			r.ok = false
			break
		}
		r.step()
	}
	r.end()
	return r.list, r.ok
}

// listReader gathers the words of one mailbox until a comma, semicolon or colon
// says what they were.
type listReader struct {
	scanner
	list  []Mailbox
	ok    bool
	group string

	words   []string // before the angle bracket
	plain   strings.Builder
	comment string
	angle   *string
	space   bool // white space stood before what comes
	quoted  bool // a quoted string is among the words
}

func (r *listReader) step() {
	c := r.s[r.i]
	switch c {
	case ' ', '\t', '\r', '\n':
		r.space = true
		r.i++
		return
	case '(':
		if text := r.scanner.comment(); text != "" {
			r.comment = text
		}
	case '"':
		r.quote()
	case '<':
		r.route()
	case ',':
		r.i++
		r.end()
	case ';':
		r.i++
		r.end()
		r.group = ""
	case ':':
		r.i++
		r.startGroup()
	case '>', ')':
		r.i++
		r.ok = false
	default:
		r.word(r.atom())
	}
	r.space = false
}

// atom reads a word; a domain literal may hold colons.
func (r *listReader) atom() string {
	start := r.i
	for r.more() && strings.IndexByte(" \t\r\n(\"<,;:>)", r.s[r.i]) < 0 {
		if r.s[r.i] == '[' {
			window := r.s[r.i:min(r.i+maxLiteral, len(r.s))]
			if n := strings.IndexAny(window, "]<,;"); n > 0 && window[n] == ']' {
				r.i += n
			}
		}
		r.i++
	}
	return r.s[start:r.i]
}

// quote takes a quoted string: a word of the name, or a local part that must
// keep its quotes.
func (r *listReader) quote() {
	start := r.i
	text := r.scanner.quoted()
	if r.s[r.i-1] != '"' || r.i-start < 2 {
		r.ok = false
	}
	if r.more() && r.s[r.i] == '@' {
		r.word(r.s[start:r.i])
		return
	}
	r.quoted = true
	r.word(text)
}

// word adds to the name. What stands together without white space is one word:
// "a b"@example.com, =?x?=?y?=.
func (r *listReader) word(w string) {
	if w == "" {
		return
	}
	if r.angle != nil {
		r.ok = false // something between the angle bracket and the comma
		return
	}
	if r.space || r.plain.Len() == 0 {
		r.flushWord()
	}
	r.plain.WriteString(w)
}

func (r *listReader) flushWord() {
	if r.plain.Len() > 0 {
		r.words = append(r.words, r.plain.String())
		r.plain.Reset()
	}
}

// route reads <local@domain>, with the obsolete route before it (RFC 5322
// section 4.4).
func (r *listReader) route() {
	r.i++
	in := r.angleText()
	if r.more() {
		r.i++ // the closing bracket
	} else {
		r.ok = false
	}
	in = strings.Trim(in, " \t")
	if strings.HasPrefix(in, "@") {
		if i := strings.IndexByte(in, ':'); i >= 0 {
			in = strings.Trim(in[i+1:], " \t")
		}
	}
	if r.angle != nil {
		r.ok = false
		r.end()
	}
	r.angle = &in
}

// angleText reads up to the closing bracket; one in quotes does not close.
func (r *listReader) angleText() string {
	start := r.i
	for r.more() && r.s[r.i] != '>' {
		if r.s[r.i] == '"' {
			r.scanner.quoted()
			continue
		}
		r.i++
	}
	return r.s[start:r.i]
}

func (r *listReader) startGroup() {
	r.flushWord()
	if len(r.words) == 0 || r.angle != nil || r.group != "" {
		r.ok = false
	}
	r.group = r.name()
	r.reset()
}

// end makes a mailbox of what was gathered.
func (r *listReader) end() {
	r.flushWord()
	defer r.reset()
	switch {
	case r.angle != nil:
		r.add(r.name(), *r.angle)
	case len(r.words) == 0:
	case r.quoted && len(r.words) == 1 && !strings.Contains(r.words[0], "@"):
		r.ok = false
	default:
		r.bare()
	}
}

// bare is a mailbox without angle brackets: the word with an at sign, the other
// words being a name that somebody forgot to set apart. White space around the
// at sign or a dot is obsolete syntax.
func (r *listReader) bare() {
	joined := strings.Join(r.words, "")
	if len(r.words) > 1 && strings.Count(joined, "@") == 1 && obsoleteSpaces(r.words) {
		r.add(r.commentName(), joined)
		return
	}
	for i := len(r.words) - 1; i >= 0; i-- {
		if strings.Contains(r.words[i], "@") {
			address := r.words[i]
			r.ok = r.ok && len(r.words) == 1
			r.words = append(r.words[:i:i], r.words[i+1:]...)
			r.add(r.name(), address)
			return
		}
	}
	r.ok = false
	r.add("", joined)
}

// obsoleteSpaces tells whether every space stands beside a dot or an at sign.
func obsoleteSpaces(words []string) bool {
	for i := 1; i < len(words); i++ {
		a, b := words[i-1], words[i]
		if strings.IndexByte(".@", a[len(a)-1]) < 0 && strings.IndexByte(".@", b[0]) < 0 {
			return false
		}
	}
	return true
}

func (r *listReader) add(name, address string) {
	if !strings.Contains(address, "@") {
		r.ok = false
	}
	r.list = append(r.list, Mailbox{Name: name, Address: address, Group: r.group})
}

func (r *listReader) name() string {
	if len(r.words) == 0 {
		return r.commentName()
	}
	return strings.Trim(printable(decodeWords(strings.Join(r.words, " "))), " ")
}

func (r *listReader) commentName() string {
	return strings.Trim(printable(decodeWords(r.comment)), " ")
}

func (r *listReader) reset() {
	r.words, r.comment, r.angle, r.quoted = nil, "", nil, false
	r.plain.Reset()
}
