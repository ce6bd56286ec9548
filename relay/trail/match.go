package trail

import (
	"slices"
	"strings"
)

// matches holds a record against the query, whose text is in lower case.
func (q *Query) matches(r *Record) bool {
	return (q.Text == "" || q.text(r)) &&
		(q.Address == "" || isSender(r, q.Address) || isRecipient(r, q.Address)) &&
		(q.From == "" || isSender(r, q.From)) &&
		(q.To == "" || isRecipient(r, q.To)) &&
		(q.IP == "" || r.Client.IP == q.IP) &&
		(q.Action == "" || slices.ContainsFunc(r.Outcomes, func(o Outcome) bool { return o.Action == q.Action }))
}

func (q *Query) text(r *Record) bool {
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), q.Text) }
	return r.From != nil && has(*r.From) || slices.ContainsFunc(r.To, has) ||
		has(r.Subject) || has(r.Message) || has(r.Auth)
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
