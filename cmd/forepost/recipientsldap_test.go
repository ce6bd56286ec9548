package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/ldap/ldaptest"
)

const ldapRecipientsConfig = `
hostname = "mx.local.test"
domain "local.test" {
  route      = route.store
  recipients = "%s/%s?mail,proxyAddresses"
}
` + officeConfig + `policy "open" {}
`

// A domain that names its directory in place has its recipients from there, aliases and
// all, and asks nobody while it is away.
func TestRecipientsOfADirectoryInPlace(t *testing.T) {
	s := ldaptest.Start(t)
	g := serveGateway(t, fmt.Sprintf(ldapRecipientsConfig, s.Secure, ldaptest.People, s.Secure, ldaptest.Service, s.CA, ldaptest.Password))
	asked := []string{"bob@local.test", "robert@local.test", "nobody@local.test", "*@local.test"}
	waitFor(t, func() (string, bool) {
		got := rcpt(t, g, asked[0])
		return fmt.Sprint("the directory was not read: ", got, g.log), strings.HasPrefix(got[0], "250")
	})
	for _, when := range []string{"asked", "the directory away"} {
		for i, got := range rcpt(t, g, asked...) {
			if want := []string{"250", "250", "550 5.1.1", "550 5.1.1"}[i]; !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s gets %q, want %s", when, asked[i], got, want)
			}
		}
		s.Stop()
	}
}
