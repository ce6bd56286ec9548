// Package ldap asks a directory server (RFC 4511) who may log in and which
// addresses there are.
package ldap

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"github.com/forepost/forepost/relay/mail"
)

// Source is where to look in a directory.
type Source struct {
	Server string   // "ldaps://dc1.example.com", with a port where one was given
	Base   string   // "" for the server's own
	Attrs  []string // to compare names with, or to read addresses from; empty for the usual ones
	Scope  int      // as ldap.ScopeWholeSubtree
	Filter string   // "(objectClass=*)" where none was given
}

// Secure tells whether the URL asks for TLS.
func (s Source) Secure() bool { return strings.HasPrefix(s.Server, "ldaps:") }

var scopes = map[string]int{"": ldap.ScopeWholeSubtree, "sub": ldap.ScopeWholeSubtree, "one": ldap.ScopeSingleLevel, "base": ldap.ScopeBaseObject}

// ParseSource reads an URL of RFC 4516, ldap or ldaps. Where that RFC takes a
// missing scope for base, we take sub: a base with nobody below it is of no use
// here. Extensions are refused.
func ParseSource(s string) (Source, error) {
	server, rest, err := server(s)
	if err != nil {
		return Source{}, err
	}
	parts := strings.Split(rest, "?")
	for i, p := range parts {
		if parts[i], err = url.PathUnescape(p); err != nil {
			return Source{}, err
		}
	}
	for len(parts) < 4 {
		parts = append(parts, "")
	}
	src := Source{Server: server, Base: parts[0], Filter: parts[3]}
	if _, err := ldap.ParseDN(src.Base); err != nil {
		return Source{}, fmt.Errorf("the base %q is no DN, like dc=example,dc=com", src.Base)
	}
	for a := range strings.SplitSeq(parts[1], ",") {
		if a = strings.TrimSpace(a); a == "" {
			continue
		}
		if strings.Trim(strings.ToLower(a), "abcdefghijklmnopqrstuvwxyz0123456789-.;") != "" {
			return Source{}, fmt.Errorf("%q is no attribute, like mail", a)
		}
		src.Attrs = append(src.Attrs, a)
	}
	var ok bool
	if src.Scope, ok = scopes[strings.ToLower(parts[2])]; !ok {
		return Source{}, fmt.Errorf("the scope %q is none: write sub, one or base", parts[2])
	}
	if src.Filter == "" {
		src.Filter = "(objectClass=*)"
	}
	if !strings.HasPrefix(src.Filter, "(") {
		src.Filter = "(" + src.Filter + ")"
	}
	if _, err := ldap.CompileFilter(src.Filter); err != nil {
		return Source{}, fmt.Errorf("the filter %q cannot be read: %w", src.Filter, err)
	}
	if len(parts) > 4 {
		return Source{}, errors.New("extensions of the URL are not taken: who binds and how stands in an ldap block")
	}
	return src, nil
}

// ParseServer reads the URL of a server alone.
func ParseServer(s string) (string, error) {
	name, rest, err := server(s)
	if err == nil && rest != "" {
		err = errors.New("a server is ldaps://host or ldap://host:port, and nothing behind it")
	}
	return name, err
}

func server(s string) (name, rest string, err error) {
	scheme, rest, ok := strings.Cut(s, "://")
	scheme = strings.ToLower(scheme)
	if !ok || scheme != "ldap" && scheme != "ldaps" {
		return "", "", fmt.Errorf("%q is no URL of a directory server: write ldaps://host/base?attribute?scope?filter", s)
	}
	host, rest, _ := strings.Cut(rest, "/")
	u, err := url.Parse(scheme + "://" + host)
	if err != nil || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", "", fmt.Errorf("%q names no host of a directory server: write ldaps://dc1.example.com/dc=example,dc=com", s)
	}
	return scheme + "://" + strings.ToLower(u.Host), rest, nil
}

// addressAttrs are those that usually have a person's addresses.
var addressAttrs = []string{"mail", "proxyAddresses", "mailAlternateAddress"}

// nameAttrs are those that people log in by.
var nameAttrs = []string{"mail", "uid", "userPrincipalName", "sAMAccountName", "proxyAddresses"}

// isProxy tells whether the values of an attribute say what they are, as Exchange
// writes them: SMTP:bob@example.com is the main address, smtp: a further one.
func isProxy(attr string) bool { return strings.EqualFold(attr, "proxyAddresses") }

// bare is a value without the sort of address before it; ok is false for one of
// another sort than SMTP.
func bare(attr, v string) (s string, ok bool) {
	if !isProxy(attr) {
		return v, true
	}
	sort, s, ok := strings.Cut(v, ":")
	return s, ok && strings.EqualFold(sort, "smtp")
}

// addressesOf are the addresses of an entry, in the order of attrs, each once.
func addressesOf(e *ldap.Entry, attrs []string) (list []mail.Address) {
	seen := map[string]bool{}
	for _, attr := range attrs {
		for _, v := range e.GetEqualFoldAttributeValues(attr) {
			s, ok := bare(attr, v)
			if !ok {
				continue
			}
			a, err := mail.ParseAddress(strings.TrimSpace(s), true)
			if err == nil && !a.IsNull() && !seen[a.Key()] {
				seen[a.Key()] = true
				list = append(list, a)
			}
		}
	}
	return list
}
