package trail

import (
	"net/netip"
	"slices"
	"strings"
)

// matches holds a record against the query: what the index found may be by
// chance.
func (m *matcher) matches(r *Record) bool {
	q := &m.q
	return m.hasWords(r) &&
		(q.Address == "" || isSender(r, q.Address) || isRecipient(r, q.Address)) &&
		(q.From == "" || isSender(r, q.From)) &&
		(q.To == "" || isRecipient(r, q.To)) &&
		(q.IP == "" || m.isClient(r.Client.IP)) &&
		(q.Rule == "" || byRule(r, q.Rule)) &&
		(q.Tag == "" || slices.ContainsFunc(r.Outcomes, func(o Outcome) bool {
			return slices.ContainsFunc(o.Tags, func(t string) bool { return strings.EqualFold(t, q.Tag) })
		})) &&
		(q.Action == "" || slices.ContainsFunc(r.Outcomes, func(o Outcome) bool { return o.Action == q.Action }))
}

// hasWords tells whether each word stands somewhere.
func (m *matcher) hasWords(r *Record) bool {
	if len(m.words) == 0 {
		return true
	}
	texts := append([]string{r.Subject, r.Message, r.Auth, r.Client.Name, r.Client.Helo}, r.To...)
	if r.From != nil {
		texts = append(texts, *r.From)
	}
	all := strings.ToLower(strings.Join(texts, "\n"))
	return !slices.ContainsFunc(m.words, func(w string) bool { return !strings.Contains(all, w) })
}

func (m *matcher) isClient(ip string) bool {
	if !m.net.IsValid() {
		return ip == m.q.IP
	}
	a, err := netip.ParseAddr(ip)
	return err == nil && m.net.Contains(a.Unmap())
}

func byRule(r *Record, rule string) bool {
	is := func(path string) bool { return path == rule || strings.HasSuffix(path, "."+rule) }
	return slices.ContainsFunc(r.Outcomes, func(o Outcome) bool { return is(o.Rule) }) ||
		slices.ContainsFunc(r.Rules, func(x *Rule) bool { return x.Acted() && is(x.Path) })
}

func isSender(r *Record, want string) bool { return r.From != nil && isAddress(*r.From, want) }

func isRecipient(r *Record, want string) bool {
	return slices.ContainsFunc(r.To, func(to string) bool { return isAddress(to, want) })
}

// isAddress compares an address with a whole one, or with "@" and a domain.
func isAddress(have, want string) bool {
	have = strings.ToLower(have)
	return have == want || strings.HasPrefix(want, "@") && strings.HasSuffix(have, want)
}
