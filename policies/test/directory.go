package test

import (
	"context"
	"strings"

	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/mail"
)

// directory knows who is here as far as the configuration says: domains, their
// aliases, and lists of recipients. Recipients that only accounts or the next
// server would know exist, unless the case says that they do not.
type directory struct {
	settings *policies.Settings
	unknown  []string
}

// Accepts is inbound.Directory. It never fails.
func (d directory) Accepts(_ context.Context, to mail.Address) (mail.Acceptance, error) {
	if to.Domain == "" { // <Postmaster>, RFC 5321 section 4.1.1.3
		to = d.settings.Postmaster
	}
	domain := d.domain(to)
	if domain == nil {
		return mail.Acceptance{}, nil
	}
	acc := mail.Acceptance{Ours: true, Domain: domain.Name}
	tries := []mail.Address{to}
	if base, _, ok := domain.Base(to); ok && domain.Recipients.Mode != "callout" {
		tries = append(tries, base)
	}
	for _, a := range tries {
		if alias := domain.Aliases[strings.ToLower(a.Local)]; len(alias) > 0 {
			acc.Known, acc.Final = true, alias
			return acc, nil
		}
		if d.known(domain, a) {
			acc.Known, acc.Final = true, []mail.Address{a}
			return acc, nil
		}
	}
	if all := domain.Aliases["*"]; len(all) > 0 {
		acc.Known, acc.Final = true, all
	}
	return acc, nil
}

func (d directory) domain(to mail.Address) *policies.Domain {
	for i := range d.settings.Domains {
		if d.settings.Domains[i].Name == to.Domain {
			return &d.settings.Domains[i]
		}
	}
	return nil
}

func (d directory) known(domain *policies.Domain, to mail.Address) bool {
	switch {
	case has(d.unknown, to.Key()):
		return false
	case domain.Recipients.Mode == "list" && domain.Recipients.Known != nil && !domain.Recipients.Known():
		return true // a directory has it, and a case asks nobody
	case domain.Recipients.Mode == "list":
		return domain.Recipients.List(to) || strings.EqualFold(to.Local, "postmaster") // RFC 5321 section 4.5.1
	}
	return true
}
