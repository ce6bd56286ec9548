package imapd

import (
	"strings"
	"time"

	"github.com/forepost/forepost/imapstore/imapd/wire"
)

// searching is a parsed SEARCH (RFC 9051 section 6.4.4, RFC 4731, RFC 5182).
type searching struct {
	ret    map[string]bool // MIN MAX ALL COUNT SAVE; nil: no RETURN
	root   *key
	modseq bool // MODSEQ is one of the keys
}

// key is a search key: how a message is judged, and how much that costs.
type key struct {
	cost  cost
	match func(c *candidateMessage) bool
}

// cost of a key, so that dear ones are asked last.
type cost uint8

const (
	costEntry  cost = iota // what the snapshot knows
	costHeader             // the message's structure
	costBody               // its octets
)

// Bounds of one SEARCH.
const (
	maxNesting = 50
	maxKeys    = 1000
)

// searchParser reads keys.
type searchParser struct {
	s     *session
	depth int
	keys  int
	out   *searching
}

func (s *session) parseSearch() *searching {
	p := &searchParser{s: s, out: &searching{}}
	s.dec.SP()
	word := p.start()
	if word == "RETURN" {
		p.options()
		s.dec.SP()
		word = p.start()
	}
	if word == "CHARSET" {
		p.charset()
		s.dec.SP()
		word = p.start()
	}
	all := []*key{p.key(word)}
	for s.dec.Err() == nil && s.dec.Take(' ') {
		all = append(all, p.key(p.start()))
	}
	p.out.root = both(all)
	return p.out
}

// start reads the word of a key; "" stands for one that has none, a set or "(".
func (p *searchParser) start() string {
	d := p.s.dec
	for _, c := range []byte("(0123456789*$") {
		if d.Is(c) {
			return ""
		}
	}
	return d.Word()
}

func (p *searchParser) options() {
	d := p.s.dec
	d.SP()
	p.out.ret = map[string]bool{}
	d.List(func() {
		switch w := d.Word(); w {
		case "MIN", "MAX", "ALL", "COUNT", "SAVE":
			p.out.ret[w] = true
		default:
			d.Bad("SEARCH knows no return option %s", w)
		}
	})
	if len(p.out.ret) == 0 {
		p.out.ret["ALL"] = true // RFC 9051 section 6.4.4
	}
}

func (p *searchParser) charset() {
	p.s.dec.SP()
	switch strings.ToUpper(p.s.dec.AString()) {
	case "UTF-8", "US-ASCII":
	default:
		p.s.dec.Refuse("BADCHARSET (UTF-8 US-ASCII)", "That charset is not known")
	}
}

// key reads what follows the word of a key.
func (p *searchParser) key(word string) *key {
	d := p.s.dec
	if p.keys++; p.keys > maxKeys {
		d.Bad("SEARCH takes at most %d keys", maxKeys)
	}
	switch read := keyReaders[word]; {
	case d.Err() != nil:
		return &key{}
	case word == "" && d.Is('('):
		return p.group()
	case word == "":
		return p.sequence(false)
	case flagKeys[word] != "":
		return flagKey(flagKeys[word])
	case read != nil:
		return read(p)
	}
	d.Bad("SEARCH knows no key %s", word)
	return &key{}
}

// group reads "(" key *(SP key) ")".
func (p *searchParser) group() *key {
	if p.depth++; p.depth > maxNesting {
		p.s.dec.Bad("SEARCH is nested too deep")
		return &key{}
	}
	var all []*key
	p.s.dec.List(func() { all = append(all, p.key(p.start())) })
	p.depth--
	if len(all) == 0 {
		p.s.dec.Bad("the parentheses are empty")
	}
	return both(all)
}

// one reads SP and a key: the operands of NOT and OR.
func (p *searchParser) one() *key {
	if p.depth++; p.depth > maxNesting {
		p.s.dec.Bad("SEARCH is nested too deep")
		return &key{}
	}
	defer func() { p.depth-- }()
	p.s.dec.SP()
	return p.key(p.start())
}

// sequence reads a set: of sequence numbers, or of UIDs. It is resolved now,
// with the numbers that the client knows.
func (p *searchParser) sequence(uids bool) *key {
	set := p.s.dec.Set()
	if set.Saved || uids {
		ranges := p.s.uidRanges(set)
		return &key{match: func(c *candidateMessage) bool { return wire.Contains(ranges, uint32(c.e.UID)) }}
	}
	ranges := set.Resolve(p.s.view.exists())
	return &key{match: func(c *candidateMessage) bool { return wire.Contains(ranges, uint32(c.at+1)) }}
}

func (p *searchParser) text() string {
	p.s.dec.SP()
	return p.s.dec.AString()
}

func (p *searchParser) date() time.Time {
	p.s.dec.SP()
	return p.s.dec.Date()
}
