package appliance

import (
	"slices"
	"strings"

	"github.com/forepost/forepost/relay/mail"
)

// detailFolders puts mail that was sent to bob+shop into bob's mailbox "shop",
// where the domain wants that and bob has one: strangers make no mailboxes. What
// a rule chose stays.
func (a *Appliance) detailFolders(to []mail.Recipient) []mail.Recipient {
	out := to
	for i, r := range to {
		folder := a.detailFolder(r)
		if folder == "" {
			continue
		}
		if &out[0] == &to[0] {
			out = slices.Clone(to)
		}
		out[i].Folder = folder
	}
	return out
}

func (a *Appliance) detailFolder(r mail.Recipient) string {
	domain := a.live().domains[r.Address.Domain]
	given, ok := strings.CutPrefix(r.Original, "rfc822;")
	if domain == nil || !domain.DetailFolder || r.Folder != "" || !ok {
		return ""
	}
	sent, err := mail.ParseAddress(given, true)
	if err != nil {
		return ""
	}
	base, detail, ok := domain.Base(sent)
	if !ok || base.Key() != r.Address.Key() {
		return "" // it was another address's, which led here
	}
	name, err := a.keep.accountOf(r.Address)
	if err != nil {
		return ""
	}
	acc, err := a.keep.store.Account(name)
	if err != nil {
		return ""
	}
	for _, m := range acc.Mailboxes() {
		if strings.EqualFold(m.Name, detail) && !m.NoSelect {
			return m.Name
		}
	}
	return ""
}
