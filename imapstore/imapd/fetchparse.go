package imapd

import (
	"strings"

	"github.com/forepost/forepost/imapstore/imapd/wire"
)

// item is one data item of FETCH (RFC 9051 section 6.4.5).
type item struct {
	name    string // "FLAGS", "BODY", "BODY[", "BINARY[", "BINARY.SIZE["
	peek    bool   // does not set \Seen
	section section
	partial *partial
}

// section is what stands in BODY[...].
type section struct {
	path   []uint32
	text   string // "", HEADER, HEADER.FIELDS, HEADER.FIELDS.NOT, TEXT or MIME
	fields []string
}

// partial is <offset.count>.
type partial struct{ off, count uint32 }

// fetching is a parsed FETCH.
type fetching struct {
	set     wire.Set
	items   []item
	since   uint64 // CHANGEDSINCE
	byUID   bool
	content bool // needs the message itself
}

// maxItems bounds what one FETCH asks of each message.
const maxItems = 200

// macros of RFC 9051 section 6.4.5.
var macros = map[string][]string{
	"FAST": {"FLAGS", "INTERNALDATE", "RFC822.SIZE"},
	"ALL":  {"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE"},
	"FULL": {"FLAGS", "INTERNALDATE", "RFC822.SIZE", "ENVELOPE", "BODY"},
}

func (s *session) parseFetch(byUID bool) *fetching {
	f := &fetching{byUID: byUID}
	s.dec.SP()
	f.set = s.dec.Set()
	s.dec.SP()
	if s.dec.Is('(') {
		s.dec.List(func() { s.fetchItem(f, s.dec.Label()) })
	} else {
		s.fetchItems(f)
	}
	if s.dec.Take(' ') {
		s.dec.List(func() { s.fetchModifier(f) })
	}
	if byUID && !f.asks("UID") { // RFC 9051 section 6.4.9
		f.items = append([]item{{name: "UID"}}, f.items...)
	}
	if f.asks("MODSEQ") {
		s.useCondstore()
	}
	return f
}

// fetchItems reads a macro or a single item.
func (s *session) fetchItems(f *fetching) {
	label := s.dec.Label()
	names, ok := macros[label]
	if !ok {
		s.fetchItem(f, label)
		return
	}
	for _, n := range names {
		f.add(item{name: n})
	}
}

func (s *session) fetchModifier(f *fetching) {
	if w := s.dec.Word(); w != "CHANGEDSINCE" {
		s.dec.Bad("FETCH knows no modifier %s", w)
		return
	}
	s.dec.SP()
	if f.since = s.dec.Number64(); !f.asks("MODSEQ") {
		f.add(item{name: "MODSEQ"}) // RFC 7162 section 3.1.4.1
	}
}

func (f *fetching) asks(name string) bool {
	for _, i := range f.items {
		if i.name == name {
			return true
		}
	}
	return false
}

func (f *fetching) add(i item) {
	f.items = append(f.items, i)
	f.content = f.content || plain[i.name] == nil
}

// fetchItem reads the item that begins with label.
func (s *session) fetchItem(f *fetching, label string) {
	i := item{name: label, peek: true}
	switch {
	case len(f.items) >= maxItems:
		s.dec.Bad("FETCH takes at most %d items", maxItems)
	case plain[label] != nil || label == "ENVELOPE" || label == "BODYSTRUCTURE":
	case label == "BODY" && !s.dec.Is('['):
	case label == "RFC822.HEADER":
	case label == "RFC822" || label == "RFC822.TEXT":
		i.peek = false
	default:
		i = s.sectionItem(label)
	}
	f.add(i)
}

// sectionItem reads BODY[...], BINARY[...] and what goes with them.
func (s *session) sectionItem(label string) item {
	base, peek := strings.CutSuffix(label, ".PEEK")
	i := item{name: base + "[", peek: peek || base == "BINARY.SIZE"}
	if base != "BODY" && base != "BINARY" && (base != "BINARY.SIZE" || peek) {
		s.dec.Bad("FETCH knows no item %s", label)
		return i
	}
	s.dec.Expect('[')
	if !s.dec.Is(']') {
		i.section = s.section(base == "BODY")
	}
	s.dec.Expect(']')
	if base != "BINARY.SIZE" && s.dec.Take('<') {
		p := &partial{off: s.dec.Number()}
		s.dec.Expect('.')
		if p.count = s.dec.Number(); p.count == 0 {
			s.dec.Bad("a partial has at least one octet")
		}
		s.dec.Expect('>')
		i.partial = p
	}
	return i
}

// section reads a section-spec. Its numbers and words come as one label.
func (s *session) section(texts bool) (sec section) {
	word := s.dec.Label()
	for word != "" && word[0] >= '0' && word[0] <= '9' {
		number, rest, more := strings.Cut(word, ".")
		n, ok := partNumber(number)
		if !ok || len(sec.path) >= maxPath || more && rest == "" {
			s.dec.Bad("%s is no part of a message", word)
			return sec
		}
		sec.path, word = append(sec.path, n), rest
	}
	sec.text = word
	switch {
	case word == "":
	case !texts:
		s.dec.Bad("BINARY takes numbers of parts only")
	case word == "HEADER.FIELDS" || word == "HEADER.FIELDS.NOT":
		s.dec.SP()
		s.dec.List(func() { sec.fields = append(sec.fields, s.dec.AString()) })
		if len(sec.fields) == 0 {
			s.dec.Bad("the names of header fields are missing")
		}
	case word == "HEADER" || word == "TEXT":
	case word == "MIME" && len(sec.path) > 0:
	default:
		s.dec.Bad("there is no section %s", word)
	}
	return sec
}

// maxPath is deeper than parts are looked into.
const maxPath = 120

func partNumber(s string) (n uint32, ok bool) {
	if s == "" || len(s) > 9 {
		return 0, false
	}
	for i := 0; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + uint32(s[i]-'0')
	}
	return n, n > 0
}
