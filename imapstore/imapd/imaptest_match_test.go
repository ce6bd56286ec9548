package imapd

import (
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

var readFull = io.ReadFull

var variable = regexp.MustCompile(`\$\$|\$\{(\w+)\}|\$(\w+)`)

// expand puts variables into a command.
func (s *script) expand(l string) string {
	return variable.ReplaceAllStringFunc(l, func(v string) string {
		if v == "$$" {
			return "$"
		}
		name := strings.Trim(v, "${}")
		if value, ok := s.vars[name]; ok {
			return value
		}
		return v
	})
}

func (s *script) compareStatus(where, want, got string) {
	if word, _, _ := strings.Cut(want, " "); word == `""` {
		return
	}
	bound := map[string]string{}
	if !s.fits(parseNodes(want, true), parseNodes(got, false), bound, shape{verb: "tagged"}) {
		s.t.Errorf("%s\nwant %s\ngot  %s", where, s.expand(want), got)
	}
	for k, v := range bound {
		s.vars[k] = v
	}
}

// compare looks for an answer that fits ("*"), or for none ("!").
func (s *script) compare(where, expected string, answers []string) {
	want := parseNodes(expected[1:], true)
	for _, a := range answers {
		bound := map[string]string{}
		if s.fits(want, parseNodes(a[1:], false), bound, shape{top: true}) {
			if expected[0] == '!' {
				s.t.Errorf("%s\nunwanted %s", where, a)
			}
			for k, v := range bound {
				s.vars[k] = v
			}
			return
		}
	}
	if expected[0] == '*' {
		s.t.Errorf("%s\nwant %s\ngot  %s", where, s.expand(expected), strings.Join(answers, "\n     "))
	}
}

// node is a word, a string or a list.
type node struct {
	text   string
	list   []node
	isList bool
	raw    bool // "~{{{": its line ends are as they stand
	quoted bool
}

func (n node) is(word string) bool { return !n.isList && strings.EqualFold(n.text, word) }

// parseNodes reads s-expressions; of a script (want) with its own literals.
func parseNodes(s string, want bool) []node {
	p := &nodeParser{s: s, want: want}
	return p.list()
}

type nodeParser struct {
	s    string
	want bool
}

func (p *nodeParser) list() (out []node) {
	for {
		p.s = strings.TrimLeft(p.s, " ")
		switch {
		case p.s == "":
			return out
		case p.s[0] == ')' || p.s[0] == ']':
			p.s = p.s[1:]
			return out
		case p.s[0] == '(':
			p.s = p.s[1:]
			out = append(out, node{list: p.list(), isList: true})
		case p.s[0] == '[':
			p.s = p.s[1:]
			out = append(out, node{list: p.list(), isList: true})
		default:
			out = append(out, p.text())
		}
	}
}

func (p *nodeParser) text() node {
	switch {
	case p.s[0] == '"':
		var b strings.Builder
		i := 1
		for ; i < len(p.s) && p.s[i] != '"'; i++ {
			if p.s[i] == '\\' && i+1 < len(p.s) {
				i++
			}
			b.WriteByte(p.s[i])
		}
		p.s = p.s[min(i+1, len(p.s)):]
		return node{text: b.String(), quoted: true}
	case p.want && (strings.HasPrefix(p.s, "{{{\n") || strings.HasPrefix(p.s, "~{{{\n")):
		raw := p.s[0] == '~'
		body, rest, _ := strings.Cut(p.s[strings.IndexByte(p.s, '\n')+1:], "}}}")
		p.s = rest
		if body = strings.TrimSuffix(body, "\n"); !raw { // the last line end belongs to the brackets
			body = string(crlf([]byte(body)))
		}
		return node{text: body, raw: raw, quoted: true}
	case !p.want && literalAt.MatchString(p.s):
		m := literalAt.FindStringSubmatch(p.s)
		n, _ := strconv.Atoi(m[1])
		body := p.s[len(m[0]) : len(m[0])+n]
		p.s = p.s[len(m[0])+n:]
		return node{text: body, quoted: true}
	}
	i, depth := 0, 0
	for ; i < len(p.s); i++ { // BODY[HEADER.FIELDS (a b)] is one word
		c := p.s[i]
		if c == '[' {
			depth++
		} else if c == ']' && depth > 0 {
			depth--
		} else if depth == 0 && strings.IndexByte(" ()]", c) >= 0 {
			break
		}
	}
	n := node{text: p.s[:i]}
	p.s = p.s[i:]
	return n
}

var literalAt = regexp.MustCompile(`^~?\{(\d+)\}\r\n`)

// shape tells how a list is compared.
type shape struct {
	top   bool   // a whole response
	verb  string // its word: FETCH, LIST, ...
	inSet bool   // a list of flags or attributes
}

func (s *script) fits(want, got []node, bound map[string]string, c shape) bool {
	if c.top {
		c = s.about(want)
	}
	for i, w := range want {
		if i >= len(got) || !s.fitsOne(w, got, i, bound, c) {
			return false
		}
	}
	return len(want) == len(got) || c.verb != "search" && c.verb != "esearch" && c.verb != ""
}

func (s *script) about(want []node) shape {
	for _, w := range want[:min(2, len(want))] {
		if _, err := strconv.Atoi(w.text); err != nil && !w.isList && !strings.HasPrefix(w.text, "$") {
			return shape{verb: strings.ToLower(w.text)}
		}
	}
	return shape{verb: "?"}
}

func (s *script) fitsOne(w node, got []node, i int, bound map[string]string, c shape) bool {
	g := got[i]
	switch {
	case w.isList != g.isList:
		return !w.isList && strings.HasPrefix(w.text, "$")
	case !w.isList:
		return s.fitsText(w, g, bound)
	case (c.verb == "list" || c.verb == "lsub") && i == 1:
		return s.fitsSet(w.list, g.list, bound, true)
	case (c.verb == "fetch" && i == 2) || (c.verb == "status" && i == 2):
		return s.fitsPairs(w.list, g.list, bound)
	}
	if len(w.list) > 0 && strings.HasPrefix(w.list[0].text, "$!") {
		return s.fitsSet(w.list, g.list, bound, true)
	}
	return s.fits(w.list, g.list, bound, shape{})
}

func (s *script) fitsText(w, g node, bound map[string]string) bool {
	if v := variable.FindString(w.text); v == w.text && v != "" && v != "$$" {
		name := strings.Trim(v, "${}")
		have, ok := s.vars[name]
		if !ok {
			have, ok = bound[name]
		}
		if _, err := strconv.Atoi(name); err == nil { // a sequence number of the beginning: any will do
			return true
		}
		if !ok {
			bound[name] = g.text
			return true
		}
		return strings.EqualFold(have, g.text)
	}
	want := s.expand(w.text)
	if w.raw || w.quoted && strings.Contains(want, "\r\n") {
		return want == g.text
	}
	return strings.EqualFold(want, g.text)
}

// fitsPairs compares name and value pairs in any order; more of them do no harm.
func (s *script) fitsPairs(want, got []node, bound map[string]string) bool {
	for i := 0; i+1 < len(want); i += 2 {
		j := 0
		for j+1 < len(got) && !got[j].is(want[i].text) {
			j += 2
		}
		if j+1 >= len(got) {
			return false
		}
		w, g := want[i+1], got[j+1]
		if want[i].is("flags") {
			if !s.fitsSet(w.list, g.list, bound, false) {
				return false
			}
		} else if !s.fitsOne(w, []node{g}, 0, bound, shape{}) {
			return false
		}
	}
	return true
}

// fitsSet compares flags without order.
func (s *script) fitsSet(want, got []node, bound map[string]string, more bool) bool {
	got = slices.DeleteFunc(slices.Clone(got), func(g node) bool { return g.is(`\recent`) }) // any session may have it
	n := 0
	for _, w := range want {
		text := s.expand(w.text)
		in := slices.ContainsFunc(got, func(g node) bool { return g.is(text) })
		switch ban, banned := strings.CutPrefix(text, "$!ban="); {
		case banned:
			if slices.ContainsFunc(got, func(g node) bool { return g.is(ban) }) {
				return false
			}
		case strings.HasPrefix(text, "$!"):
			more = true
		case strings.EqualFold(text, `\recent`):
		case !in:
			return false
		default:
			n++
		}
	}
	return more || n == len(got)
}
