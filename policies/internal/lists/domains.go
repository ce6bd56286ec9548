package lists

import (
	"errors"
	"strings"

	"github.com/forepost/forepost/relay/mail"
)

// domains holds "b.test" for itself and ".b.test" for what is below it.
type domains map[string]struct{}

func (d domains) add(s string) error {
	below := strings.HasPrefix(s, ".") || strings.HasPrefix(s, "*.")
	name, err := mail.ParseDomain(strings.TrimPrefix(strings.TrimPrefix(s, "*"), "."))
	if err != nil {
		return errors.New("not a domain; write example.com, or .example.com for all below it")
	}
	if below {
		name = "." + name
	}
	d[name] = struct{}{}
	return nil
}

func (d domains) done() error { return nil }

// has takes a domain, or an address for its domain.
func (d domains) has(s string) bool {
	if i := strings.LastIndexByte(s, '@'); i >= 0 {
		s = s[i+1:]
	}
	s = strings.TrimSuffix(Lower(s), ".")
	if _, ok := d[s]; ok {
		return true
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '.' {
			continue
		}
		if _, ok := d[s[i:]]; ok {
			return true
		}
	}
	return false
}

// addresses holds "a@b.test" and "@b.test" for every address of the domain.
type addresses map[string]struct{}

func (a addresses) add(s string) error {
	s = strings.TrimPrefix(s, "*")
	if i := strings.LastIndexByte(s, '@'); i <= 0 {
		name, err := mail.ParseDomain(s[i+1:])
		if err != nil {
			return errors.New("not an address; write a@example.com, or @example.com for all of a domain")
		}
		a["@"+name] = struct{}{}
		return nil
	}
	ad, err := mail.ParseAddress(s, true)
	if err != nil {
		return err
	}
	a[ad.Key()] = struct{}{}
	return nil
}

func (a addresses) done() error { return nil }

func (a addresses) has(s string) bool {
	s = Lower(s)
	if _, ok := a[s]; ok {
		return true
	}
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		_, ok := a["@"+s]
		return ok
	}
	_, ok := a[s[i:]]
	return ok
}
