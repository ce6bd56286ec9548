// Package lists answers whether a thing is in a list: by hash or by prefix,
// never by walking the list, so that a list may have a million entries.
package lists

import (
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
)

// Type is what the entries of a list are.
type Type string

// The types.
const (
	Address Type = "address" // a@b.test, @b.test for all of a domain, .b.test for those below it, a@ for a at any domain
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

// List is a set, safe for concurrent use. What is in it changes only as a whole,
// by Replace.
type List struct {
	Type Type
	// Changes tells that the list has a file or a source, so that what is in it now
	// says nothing about later.
	Changes bool

	now atomic.Pointer[content]
}

// content is what is in a list.
type content struct {
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
	c, errs := newContent(t, items)
	l := &List{Type: t}
	l.now.Store(c)
	return l, errs
}

// Awaited makes a list of which nothing is known yet.
func Awaited(t Type) *List { return &List{Type: t, Changes: true} }

// Replace puts items in place of those that are there. With an error in one of
// them, everything stays as it was.
func (l *List) Replace(items []string) []error {
	c, errs := newContent(l.Type, items)
	if len(errs) == 0 {
		l.now.Store(c)
	}
	return errs
}

func newContent(t Type, items []string) (*content, []error) {
	c := &content{items, newMatcher(t)}
	var errs []error
	for _, it := range items {
		if err := c.set.add(strings.TrimSpace(it)); err != nil {
			errs = append(errs, fmt.Errorf("%.80q: %w", it, err))
		}
	}
	if err := c.set.done(); err != nil {
		errs = append(errs, err)
	}
	return c, errs
}

// Wrong finds the entries of a file that do not have the form of the type. The
// errors are each a *LineError.
func Wrong(t Type, entries []Entry) (errs []error) {
	for _, e := range entries {
		if err := newMatcher(t).add(e.Text); err != nil {
			errs = append(errs, &LineError{e.Line, fmt.Errorf("%.80q: %w", e.Text, err)})
		}
	}
	return errs
}

// Known tells whether the list was ever read: before, nothing is in it and
// nothing can be said of it.
func (l *List) Known() bool { return l.now.Load() != nil }

// Items are the entries as written; not to be changed.
func (l *List) Items() []string {
	if c := l.now.Load(); c != nil {
		return c.items
	}
	return nil
}

// Len is the number of entries.
func (l *List) Len() int { return len(l.Items()) }

// Has tells whether s is in the list. The empty string never is.
func (l *List) Has(s string) bool {
	c := l.now.Load()
	return c != nil && s != "" && c.set.has(s)
}

// HasIP tells whether an address is in a list of any type.
func (l *List) HasIP(ip netip.Addr) bool {
	c := l.now.Load()
	if c == nil || !ip.IsValid() {
		return false
	}
	if n, ok := c.set.(*networks); ok {
		return n.hasIP(ip)
	}
	return c.set.has(ip.Unmap().String())
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
		return &addresses{}
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
