package imapstore

import (
	"cmp"
	"strings"

	"github.com/forepost/forepost/relay/mail"
)

// Quarantines are accounts of the store with reserved names, "quarantine/spam".
// Mail reaches them through the queue like any other, so each has an address:
// spam@quarantine.invalid. The domain is one that can never be real (RFC 2606
// section 2), and no listener takes mail for it: only a verdict makes such a
// recipient.
const (
	QuarantinePrefix = "quarantine/"
	quarantineDomain = "quarantine.invalid"
)

// QuarantineAddress is the recipient that stands for the quarantine of that name.
func QuarantineAddress(name string) mail.Address {
	return mail.Address{Local: strings.ToLower(name), Domain: quarantineDomain}
}

// QuarantineAccount is the account that a quarantine's address means; ok is
// false for every other address.
func QuarantineAccount(a mail.Address) (name string, ok bool) {
	if a.Domain != quarantineDomain || a.Local == "" {
		return "", false
	}
	return QuarantinePrefix + strings.ToLower(a.Local), true
}

// quarantineField stands on top of what lies in a quarantine.
const quarantineField = "X-Forepost-Quarantined"

// underTLS ends the note on a message that came under REQUIRETLS (RFC 8689).
const underTLS = " under REQUIRETLS"

// QuarantineField notes on a message who was to have it, by which ID its story is
// known, and whether it may go on over verified TLS only.
func QuarantineField(id mail.ID, r mail.Recipient, requireTLS bool) mail.Field {
	v := string(id) + " for <" + strings.TrimPrefix(cmp.Or(r.Original, r.Address.String()), "rfc822;") + ">"
	if requireTLS {
		v += underTLS
	}
	return mail.Field{Name: quarantineField, Value: v}
}

// Quarantined reads what QuarantineField noted; fields are those on top of the
// message, the first of them first. ok is false for a message without the note.
func Quarantined(fields []mail.Field) (id mail.ID, to mail.Address, requireTLS, ok bool) {
	for _, f := range fields {
		if f.Name == "Received" {
			break // below it others wrote
		}
		if f.Name != quarantineField {
			continue
		}
		name, rest, _ := strings.Cut(strings.TrimSpace(f.Value), " for <")
		rest, requireTLS = strings.CutSuffix(rest, underTLS)
		to, err := mail.ParseAddress(strings.TrimSuffix(rest, ">"), true)
		return mail.ID(name), to, requireTLS, err == nil && mail.ID(name).Valid()
	}
	return "", mail.Address{}, false, false
}
