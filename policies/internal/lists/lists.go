// Package lists answers whether a thing is in a list: by hash or by prefix,
// never by walking the list, so that a list may have a million entries.
package lists

import (
	"bufio"
	"bytes"
	"fmt"
	"net/netip"
	"strings"
)

// Type is what the entries of a list are.
type Type string

// The types.
const (
	Address Type = "address" // a@b.test, and @b.test for all of a domain
	Domain  Type = "domain"  // b.test, and .b.test for all below it
	IP      Type = "ip"      // addresses and networks
	Word    Type = "word"    // whole texts, in any case
	Glob    Type = "glob"    // * and ?
	Regex   Type = "regex"   // RE2
	Hash    Type = "hash"    // SHA-256 in hex, of the text in lower case
)

// Types are the words of `type`.
func Types() []string {
	return []string{string(Address), string(Domain), string(IP), string(Word), string(Glob), string(Regex), string(Hash)}
}

// List is an immutable set, safe for concurrent use.
type List struct {
	Type  Type
	items []string
	set   matcher
}

// matcher is the form that entries are looked up in.
type matcher interface {
	add(item string) error
	done() error
	has(s string) bool
}

// New makes a list of items. The errors are one for each item that does not
// have the form of the type; the list holds the others.
func New(t Type, items []string) (*List, []error) {
	l := &List{Type: t, items: items, set: newMatcher(t)}
	var errs []error
	for _, it := range items {
		if err := l.set.add(strings.TrimSpace(it)); err != nil {
			errs = append(errs, fmt.Errorf("%q: %w", it, err))
		}
	}
	if err := l.set.done(); err != nil {
		errs = append(errs, err)
	}
	return l, errs
}

// ParseFile splits a list file into its items: one a line, without empty lines
// and what follows a # at the start of a line or behind white space.
func ParseFile(text []byte) []string {
	var items []string
	sc := bufio.NewScanner(bytes.NewReader(text))
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		s := sc.Text()
		if i := strings.Index(s, " #"); i >= 0 {
			s = s[:i]
		}
		if s = strings.TrimSpace(s); s != "" && s[0] != '#' {
			items = append(items, s)
		}
	}
	return items
}

// Items are the entries as written; not to be changed.
func (l *List) Items() []string { return l.items }

// Len is the number of entries.
func (l *List) Len() int { return len(l.items) }

// Has tells whether s is in the list. The empty string never is.
func (l *List) Has(s string) bool {
	if s == "" {
		return false
	}
	return l.set.has(s)
}

// HasIP tells whether an address is in a list of any type.
func (l *List) HasIP(ip netip.Addr) bool {
	if !ip.IsValid() {
		return false
	}
	if n, ok := l.set.(*networks); ok {
		return n.hasIP(ip)
	}
	return l.set.has(ip.Unmap().String())
}

// HasAny tells whether one of ss is in the list.
func (l *List) HasAny(ss []string) bool {
	for _, s := range ss {
		if l.Has(s) {
			return true
		}
	}
	return false
}

func newMatcher(t Type) matcher {
	switch t {
	case Address:
		return addresses{}
	case Domain:
		return domains{}
	case IP:
		return &networks{}
	case Glob, Regex:
		return &patterns{glob: t == Glob}
	case Hash:
		return hashes{}
	}
	return words{}
}
