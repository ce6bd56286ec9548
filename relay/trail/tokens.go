package trail

import (
	"encoding/json"
	"net/netip"
	"strings"
	"unicode"

	"github.com/forepost/forepost/relay/trail/index"
)

// The kinds of tokens. They stand in files.
const (
	tokSession = 'x' // of records and events
	tokWords   = 'd' // entries that define words
	tokFrom    = 'f' // the sender, and its domain
	tokTo      = 't' // a recipient, and its domain
	tokWord    = 'w' // any word of addresses, subject, Message-ID, account, the client's names
	tokIP      = 'i' // the client's address, and its network
	tokAction  = 'v'
	tokRule    = 'r' // a rule that did something, or would have: whole, and its last parts
	tokPolicy  = 'p' // the hash
	tokTag     = 'g'
)

// maxTokens bounds the words of one entry.
const maxTokens = 4000

// tokenizer makes the tokens of entries; it keeps its memory.
type tokenizer struct {
	out  []index.Token
	seen map[index.Token]struct{}
}

// of are the tokens of an entry, good until the next call.
func (k *tokenizer) of(e *entry, r *Record) []index.Token {
	k.out = k.out[:0]
	if k.seen == nil {
		k.seen = map[index.Token]struct{}{}
	}
	clear(k.seen)
	if e.what == isWords {
		k.add(tokWords, "")
		return k.out
	}
	k.add(tokSession, string(session(e.id)))
	if r != nil {
		k.record(r)
	}
	return k.out
}

func (k *tokenizer) add(kind byte, word string) {
	if len(k.out) >= maxTokens {
		return
	}
	t := index.Of(kind, word)
	if _, ok := k.seen[t]; !ok {
		k.seen[t] = struct{}{}
		k.out = append(k.out, t)
	}
}

func (k *tokenizer) record(r *Record) {
	for _, o := range r.Outcomes {
		k.add(tokAction, o.Action)
		k.rule(o.Rule)
		for _, tag := range o.Tags {
			k.add(tokTag, strings.ToLower(tag))
		}
	}
	for i := range r.Rules {
		if r.Rules[i].Acted() {
			k.rule(r.Rules[i].Path)
		}
	}
	if r.From != nil {
		k.address(tokFrom, *r.From)
	}
	for _, to := range r.To {
		k.address(tokTo, to)
	}
	k.ip(r.Client.IP)
	k.add(tokPolicy, r.Hash)
	k.words(r.Subject)
	k.words(r.Message)
	k.words(r.Auth)
	k.domain(r.Client.Name)
	k.domain(r.Client.Helo)
}

// rule adds inbound.rcpt.reject.dnsbl, reject.dnsbl and dnsbl.
func (k *tokenizer) rule(path string) {
	if path == "" {
		return
	}
	k.add(tokRule, path)
	parts := strings.Split(path, ".")
	for i := max(len(parts)-3, 1); i < len(parts); i++ {
		k.add(tokRule, strings.Join(parts[i:], "."))
	}
}

func (k *tokenizer) address(kind byte, a string) {
	a = strings.ToLower(a)
	k.add(kind, a)
	k.add(tokWord, a)
	local, domain, ok := cutLast(a, "@")
	if !ok {
		return
	}
	k.add(kind, "@"+domain)
	k.words(local)
	k.domain(domain)
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// domain adds a domain and those above it, but for the last label alone.
func (k *tokenizer) domain(d string) {
	for d = strings.ToLower(d); d != ""; {
		k.add(tokWord, d)
		_, up, ok := strings.Cut(d, ".")
		if !ok || !strings.Contains(up, ".") {
			return
		}
		d = up
	}
}

func (k *tokenizer) ip(s string) {
	k.add(tokIP, s)
	if a, err := netip.ParseAddr(s); err == nil {
		k.add(tokIP, network(a).String())
	}
}

// network is the network of an address that has a token: searches for parts of
// it read no others.
func network(a netip.Addr) netip.Prefix {
	n := 24
	if a = a.Unmap(); a.Is6() {
		n = 48
	}
	p, _ := a.Prefix(n) // the lengths are right
	return p
}

// words adds the words of a text, and, where one has marks within it
// (example.com, 2026-11), its parts.
func (k *tokenizer) words(s string) {
	for _, atom := range atoms(s) {
		k.add(tokWord, atom)
		parts := strings.FieldsFunc(atom, notWord)
		if len(parts) > 1 {
			for _, p := range parts {
				k.add(tokWord, p)
			}
		}
	}
}

// atoms are the words of a text: what stands between spaces, without the marks
// around it, in lower case.
func atoms(s string) (list []string) {
	for _, a := range strings.FieldsFunc(strings.ToLower(s), func(c rune) bool { return unicode.IsSpace(c) || c == ',' || c == ';' }) {
		if a = strings.TrimFunc(a, notWord); a != "" {
			list = append(list, a)
		}
	}
	return list
}

func notWord(c rune) bool { return !unicode.IsLetter(c) && !unicode.IsDigit(c) }

// readEvent reads what an entry tells of an event.
func readEvent(e *entry) (ev Event, err error) {
	if json.Unmarshal(e.text, &ev) != nil {
		return ev, errEntry
	}
	return ev, nil
}
