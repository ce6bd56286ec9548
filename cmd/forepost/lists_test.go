package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/forepost/forepost/relay/ldap/ldaptest"
)

const listsConfig = `
hostname = "mx.local.test"
domain "local.test" {
  route      = route.store
  recipients = list.staff
}
domain "file.test" {
  route      = route.store
  recipients = list.written
}
list "staff" {
  type    = address
  source  = "%s/%s?mail,proxyAddresses"
  refresh = "1s"
}
list "written" {
  type   = address
  file   = "%s"
  format = postfix
}
` + officeConfig + `metrics {
  address = "127.0.0.1:0"
}
policy "open" {}
`

// Recipients of a directory and of a file: both change without a reload, what is
// wrong changes nothing, and a directory that is away, over a restart, leaves
// what was known. Where nothing is known, mail waits.
func TestListsThatChange(t *testing.T) {
	s := ldaptest.Start(t)
	file := writeFile(t, "written.txt", "ann@file.test OK\n")
	g := serveGateway(t, fmt.Sprintf(listsConfig, s.Secure, ldaptest.People, file, s.Secure, ldaptest.Service, s.CA, ldaptest.Password))
	becomes := func(to, want string) {
		t.Helper()
		waitFor(t, func() (string, bool) {
			got := rcpt(t, g, to)[0]
			return to + " gets " + got + ", want " + want + "\n" + g.log.String(), strings.HasPrefix(got, want)
		})
	}
	becomes("robert@local.test", "250")
	becomes("nobody@local.test", "550 5.1.1")
	s.Change("dn: uid=new," + ldaptest.People + "\nchangetype: add\nobjectClass: inetOrgPerson\nuid: new\ncn: new\nsn: new\nmail: new@local.test\n")
	becomes("new@local.test", "250")

	becomes("ann@file.test", "250")
	next := filepath.Join(filepath.Dir(file), "next")
	for _, text := range []string{"ann@file.test OK\nbill@file.test OK\n", "carl@file.test OK\na@@b OK\n", ""} {
		if err := os.WriteFile(next, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, file); err != nil { // as an editor does
			t.Fatal(err)
		}
		switch {
		case strings.HasPrefix(text, "ann"):
			becomes("bill@file.test", "250")
		case text == "":
			waitFor(t, func() (string, bool) {
				return "the empty file is not told of", strings.Contains(g.log.String(), "would have none")
			})
		default:
			waitFor(t, func() (string, bool) {
				return "the mistake is not told with its line:\n" + g.log.String(), strings.Contains(g.log.String(), file+", line 2: ")
			})
		}
		if got := rcpt(t, g, "ann@file.test", "carl@file.test"); got[0] != "250" || !strings.HasPrefix(got[1], "550") {
			t.Errorf("after %q: %q", text, got)
		}
	}

	s.Stop()
	for _, when := range []string{"the directory is away", "it is away, and we start"} {
		if got := rcpt(t, g, "new@local.test", "nobody@local.test"); got[0] != "250" || !strings.HasPrefix(got[1], "550") {
			t.Errorf("%s: %q", when, got)
		}
		waitFor(t, func() (string, bool) {
			return "its age is not counted", metric(t, g, `forepost_list_age_seconds{list="staff"}`) > 0
		})
		g.end(syscall.SIGTERM)
		if err := os.WriteFile(file, []byte("ann@file.test OK\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(when, "it is") {
			if err := os.RemoveAll(filepath.Join(g.data(), "lists")); err != nil {
				t.Fatal(err)
			}
		}
		g.start()
	}
	if got := rcpt(t, g, "new@local.test"); !strings.HasPrefix(got[0], "451") {
		t.Errorf("where nothing is known: %q", got)
	}
}
