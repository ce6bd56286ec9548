package test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/forepost/forepost/filters/builtin"
	"github.com/forepost/forepost/policies"
)

const linksPolicy = `hostname = "mx.example.com"

listener "edge" {
  address = ":25"
  policy  = policy.inbound
}

domain "example.com" {
  route      = route.inside
  recipients = any
}

route "inside" {
  to = ["ex1.example.com:25"]
}

filter "uribl" "surbl" {
  zone     = "multi.test"
  mask     = 24
  ignore   = ["example.com"]
  on_error = defer
}

policy "inbound" {
  data {
    reject "links" {
      when = uribl.surbl.hits > 0
      text = "5.7.1 A link leads to ${join(" ", uribl.surbl.domains)}"
    }
  }
}
`

const linksCases = `
given "anybody" {
  listener = listener.edge
  client   = { ip = "203.0.113.9" }
  mail     = { from = "ann@stranger.test" }
  rcpt     = ["bob@example.com"]
}

case "a link that is listed" {
  use   = given["anybody"]
  uribl = { surbl = { hits = 1, domains = ["evil.com"] } }

  expect {
    verdict = reject
    by      = "inbound.data.reject.links"
    reply   = "550 5.7.1 A link leads to evil.com"
  }
}

case "none" {
  use = given["anybody"]

  expect {
    verdict = accept
  }
}

case "nobody could tell" {
  use   = given["anybody"]
  uribl = { surbl = { error = "timeout" } }

  expect {
    verdict = defer
  }
}
`

// TestLinkLists: what rules ask of the links of a message, and what is told of a
// list that is not declared, of a setting that is missing and of a phase too early.
func TestLinkLists(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	rep := run(t, write("site.test.hcl", linksCases), options(write("site.hcl", linksPolicy)))
	var text bytes.Buffer
	if err := rep.Text(&text, false); err != nil || rep.Failed > 0 || rep.Passed != 3 {
		t.Errorf("%v\n%s", err, text.String())
	}
	for _, c := range [][3]string{
		{"uribl.surbl.hits", "uribl.sorbl.hits", `There is no filter "uribl" "sorbl"`},
		{"uribl.surbl.hits", "uribl.surbl.hit", "There is no fact uribl.surbl.hit"},
		{"data {", "rcpt {", "Move the rule to a data block"},
		{"zone     = \"multi.test\"\n", "", "zone"},
	} {
		_, ds := policies.Load(write("wrong.hcl", strings.Replace(linksPolicy, c[0], c[1], 1)), policies.Options{Kinds: builtin.Kinds()})
		if !ds.HasErrors() || !strings.Contains(ds.String(), c[2]) {
			t.Errorf("%s:\n%s", c[1], ds)
		}
	}
}
