package test

import (
	"net/netip"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"golang.org/x/net/publicsuffix"

	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/policies/internal/lists"
)

// renamer replaces addresses and domains by others, the same always by the same.
// What the configuration itself names stays as it is: it decides by it, and
// tells nothing new.
type renamer struct {
	cfg     *policies.Config
	sources string
	domains map[string]string // organizational domains
	locals  map[string]string // by address
	seen    map[string]bool   // addresses and domains, before
}

func newRenamer(cfg *policies.Config) *renamer {
	r := &renamer{cfg: cfg, domains: map[string]string{}, locals: map[string]string{}, seen: map[string]bool{}}
	for _, text := range cfg.Env().Sources {
		r.sources += strings.ToLower(string(text)) + "\n"
	}
	return r
}

// written tells whether the configuration has a name in its text.
func (r *renamer) written(name string) bool {
	name = strings.ToLower(name)
	for rest := r.sources; ; {
		i := strings.Index(rest, name)
		if i < 0 {
			return false
		}
		before, after := rest[:i], rest[i+len(name):]
		if (before == "" || !nameByte(before[len(before)-1])) && (after == "" || !nameByte(after[0])) {
			return true
		}
		rest = rest[i+1:]
	}
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_'
}

// domain replaces a domain; names below it stay below its replacement.
func (r *renamer) domain(d string) string {
	d = strings.ToLower(d)
	if d == "" || strings.HasPrefix(d, "[") || !strings.Contains(d, ".") {
		return d
	}
	if _, err := netip.ParseAddr(d); err == nil {
		return d
	}
	r.seen[d] = true
	org, err := publicsuffix.EffectiveTLDPlusOne(d)
	if err != nil {
		org = d
	}
	if r.cfg.Env().Domains[d] || r.written(d) || r.written(org) {
		return d
	}
	if r.domains[org] == "" {
		r.domains[org] = "domain" + strconv.Itoa(len(r.domains)+1) + ".test"
	}
	return strings.TrimSuffix(d, org) + r.domains[org]
}

// address replaces an address.
func (r *renamer) address(a string) string {
	i := strings.LastIndexByte(a, '@')
	if i < 0 {
		return a
	}
	local, d := a[:i], a[i+1:]
	key := strings.ToLower(a)
	r.seen[key] = true
	if !r.written(key) && !r.isAlias(local, d) && !strings.EqualFold(local, "postmaster") {
		if r.locals[key] == "" {
			r.locals[key] = "user" + strconv.Itoa(len(r.locals)+1)
		}
		local = r.locals[key]
	}
	return local + "@" + r.domain(d)
}

func (r *renamer) isAlias(local, domain string) bool {
	for _, d := range r.cfg.Settings.Domains {
		if d.Name == strings.ToLower(domain) && d.Aliases[strings.ToLower(local)] != nil {
			return true
		}
	}
	return false
}

var (
	anAddress = regexp.MustCompile(`[^\s<>"'(),:;@\[\]\\]+@[A-Za-z0-9\pL-]+(\.[A-Za-z0-9\pL-]+)+`)
	aDomain   = regexp.MustCompile(`\b[A-Za-z0-9\pL-]+(\.[A-Za-z0-9\pL-]+)+\b`)
)

// text replaces the addresses in a text, and the domains that are known by now.
func (r *renamer) text(s string) string {
	s = anAddress.ReplaceAllStringFunc(s, r.address)
	return aDomain.ReplaceAllStringFunc(s, func(d string) string {
		org, err := publicsuffix.EffectiveTLDPlusOne(strings.ToLower(d))
		if err != nil || r.domains[org] == "" {
			return d
		}
		return r.domain(d)
	})
}

// isDomain tells whether a text is a domain alone: it ends as domains do that can
// be registered, or in a name that is kept for private use. File names and numbers
// of versions have dots, too.
func isDomain(s string) bool {
	s = strings.ToLower(s)
	if s == "" || aDomain.FindString(s) != s {
		return false
	}
	suffix, listed := publicsuffix.PublicSuffix(s)
	if listed || strings.Contains(suffix, ".") {
		return suffix != s
	}
	switch suffix {
	case "test", "example", "invalid", "localhost", "local", "lan", "internal", "home", "corp", "intranet":
		return true
	}
	return false
}

// lists are the lists that have something of what was seen, with its
// replacements: their other entries say nothing about this message.
func (r *renamer) lists(ip netip.Addr) map[string][]string {
	out := map[string][]string{}
	for name, l := range r.cfg.Env().Lists {
		if l == nil {
			continue
		}
		for _, old := range sortedKeys(r.seen) {
			if !l.Has(old) {
				continue
			}
			now := r.domain(old)
			if strings.Contains(old, "@") {
				now = r.address(old)
			}
			if l.Type == lists.Regex {
				now = regexp.QuoteMeta(now)
			}
			out[name] = append(out[name], now)
		}
		if ip.IsValid() && l.Type == lists.IP && l.HasIP(ip) {
			out[name] = append(out[name], ip.String())
		}
		sort.Strings(out[name])
		if out[name] == nil {
			delete(out, name)
		}
	}
	return out
}
