package imapstore

import (
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
