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

// addresses holds "a@b.test", "@b.test" for every address of the domain,
// ".b.test" for those of the domains below it and "a@" for a at any domain.
type addresses struct {
	set           map[string]struct{}
	below, locals bool // there are such entries
}

func (a *addresses) add(s string) error {
	s = strings.TrimPrefix(s, "*")
	i := strings.LastIndexByte(s, '@')
	key := ""
	switch {
	case i > 0 && i == len(s)-1 && !strings.ContainsAny(s, "<> \t"):
		key, a.locals = strings.ToLower(s), true
	case i <= 0:
		name, below := strings.CutPrefix(strings.TrimPrefix(s[i+1:], "*"), ".")
		d, err := mail.ParseDomain(name)
		if err != nil {
			return errors.New("not an address; write a@example.com, @example.com for all of a domain, .example.com for the domains below it, or a@ for a at any domain; the null sender <> is in no list, a condition asks mail.null")
		}
		if key = "@" + d; below {
			key, a.below = "."+d, true
		}
	default:
		ad, err := mail.ParseAddress(s, true)
		if err != nil {
			return err
		}
		key = ad.Key()
	}
	if a.set == nil {
		a.set = map[string]struct{}{}
	}
	a.set[key] = struct{}{}
	return nil
}

func (a *addresses) done() error { return nil }

func (a *addresses) has(s string) bool {
	s = Lower(s)
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		s, i = "@"+s, 0
	} else if a.one(s) || a.locals && a.one(s[:i+1]) {
		return true
	}
	if a.one(s[i:]) {
		return true
	}
	for j := i + 1; a.below && j < len(s); j++ {
		if s[j] == '.' && a.one(s[j:]) {
			return true
		}
	}
	return false
}

func (a *addresses) one(key string) bool {
	_, ok := a.set[key]
	return ok
}
