package main

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/ldap/ldaptest"
)

const ldapConfig = clientsConfig + `
listener "staff" {
  address = "127.0.0.1:0"
  auth    = "%s/%s?mail,uid"
  policy  = policy.open
}
ldap "office" {
  servers  = ["ldap://127.0.0.1:1", "%s"]
  bind     = "%s"
  password = var.service
  ca       = "%s"
}
variable "service" {
  type      = string
  default   = "%s"
  sensitive = true
}
`

// officeConfig is a directory, asked as its service (its URL, who asks, its CA, the
// password), and a door.
const officeConfig = `ldap "office" {
  servers  = ["%s"]
  bind     = "%s"
  password = var.service
  ca       = "%s"
}
variable "service" {
  type      = string
  default   = "%s"
  sensitive = true
}
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.open
}
`

// People of a directory send over submission: with either mechanism, from their
// own addresses alone; a wrong password and a directory that is away are told
// apart, and no trick with the name gets in.
func TestDirectoryLogins(t *testing.T) {
	need(t, "swaks")
	s := ldaptest.Start(t)
	config := fmt.Sprintf(ldapConfig, s.Secure, ldaptest.Base, s.Secure, ldaptest.Service, s.CA, ldaptest.Password)
	g := serveConfig(t, config)
	send := func(mech, user, password, from string) string {
		out, _ := exec.Command("swaks", "--server", g.address("submission", "staff"), "-tls", "-a", mech, "-au", user, "-ap", password,
			"--from", from, "--to", "bob@local.test").CombinedOutput()
		return string(out)
	}
	for _, c := range []struct{ mech, user, password, from, want string }{
		{"PLAIN", "bob", "bob's secret", "bob@local.test", "250 2.0.0"},
		{"LOGIN", "bob@local.test", "bob's secret", "robert@local.test", "250 2.0.0"},
		{"PLAIN", "bob", "bob's secret", "eve@local.test", "550 5.7.1 The sender address is not one of yours"},
		{"PLAIN", "bob", "wrong", "bob@local.test", "535 5.7.8"},
		{"PLAIN", "b*", "bob's secret", "bob@local.test", "535 5.7.8"},
		{"LOGIN", "bob)(uid=*", "bob's secret", "bob@local.test", "535 5.7.8"},
		{"PLAIN", "*)(|(uid=*", "bob's secret", "bob@local.test", "535 5.7.8"},
		{"PLAIN", "nobody", "x", "bob@local.test", "535 5.7.8"},
	} {
		if out := send(c.mech, c.user, c.password, c.from); !strings.Contains(out, c.want) {
			t.Errorf("%s as %s with %q from %s: no %s in\n%s\n%s", c.mech, c.user, c.password, c.from, c.want, out, g.log)
		}
	}
	if out := send("PLAIN", "bob", "bob's secret", "bob@local.test"); strings.Contains(out, "SCRAM") {
		t.Errorf("a directory gives no keys away, and SCRAM is offered:\n%s", out)
	}
	s.Stop()
	if out := send("PLAIN", "bob", "bob's secret", "bob@local.test"); !strings.Contains(out, "454 4.7.0") {
		t.Errorf("while the directory is away:\n%s", out)
	}
	s.Again()
	if out := send("PLAIN", "bob", "bob's secret", "bob@local.test"); !strings.Contains(out, "250 2.0.0") {
		t.Errorf("when it is back:\n%s", out)
	}
}
