package main

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
)

// tenMistakes has one in each line that ends with a comment: the comment is
// what must be said of that line.
const tenMistakes = `hostname = 5 # string
hostnmae = "mx.example.com" # Did you mean "hostname"
domain "example.com" {
  route = route.insid # Did you mean "route.inside"
}
route "inside" {
  to  = ["10.0.0.5:25"]
  tls = requird # Did you mean "require"
}
listener "edge" {
  address = "127.0.0.1:0"
  policy  = policy.inbound
  colour  = "blue" # colour
}
policy "inbound" {
  rcpt {
    rejekt "typo" { # Did you mean "reject"
      when = true
    }
    reject "early" {
      when = msg.size > 5 # data phase
      text = "5.7.1 Too large"
    }
    reject "word" {
      when = spf.result == "fial" # Did you mean "fail"
      text = "5.7.1 SPF"
    }
    reject "fact" {
      when = spf.reslt == "fail" # Did you mean "result"
      text = "5.7.1 SPF"
    }
    reject "type" {
      when = rcpt.count > "ten" # number
      text = "5.7.1 Too many"
    }
  }
}
`

func TestTenMistakesAreTenDiagnostics(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "bad.hcl")
	if err := os.WriteFile(file, []byte(tenMistakes), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, _ := forepost("check", "--config", file)
	if code != exitFailed {
		t.Errorf("check ends with %d", code)
	}
	blocks := strings.Split(out, "Error: ")[1:]
	if len(blocks) != 10 {
		t.Errorf("%d errors, want 10:\n%s", len(blocks), out)
	}
	for n, line := range strings.Split(tenMistakes, "\n") {
		src, want, ok := strings.Cut(line, " # ")
		if !ok {
			continue
		}
		if !anyHas(blocks, "line "+strconv.Itoa(n+1)+",", "line "+strconv.Itoa(n+1)+":", strings.TrimSpace(src), want) {
			t.Errorf("line %d, %q: no error shows it and says %q:\n%s", n+1, src, want, out)
		}
	}
	code, _, errs := forepost("serve", "--config", file, "--data", filepath.Join(dir, "data"))
	if code != exitConfig || strings.Count(errs, "Error: ") != 10 {
		t.Errorf("serve ends with %d and says\n%s", code, errs)
	}
}

// anyHas tells whether a block has one of the two forms of a line number, the
// source and the advice.
func anyHas(blocks []string, line1, line2, src, advice string) bool {
	for _, b := range blocks {
		if (strings.Contains(b, line1) || strings.Contains(b, line2)) && strings.Contains(b, src) && strings.Contains(b, advice) {
			return true
		}
	}
	return false
}

func TestReloadWithAMistakeKeepsTheRunningOne(t *testing.T) {
	g := serveClients(t)
	good, err := os.ReadFile(g.config())
	if err != nil {
		t.Fatal(err)
	}
	before := g.address("smtp", "edge")
	doors, err := g.client().Status(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	g.write(string(good) + "policy \"open\" { rcpt { rejekt \"x\" {} } }\n")
	code, _, errs := forepost("reload", "--data", g.data())
	if code != exitFailed || !strings.Contains(errs, "rejekt") || !strings.Contains(errs, "stays") {
		t.Errorf("reload ends with %d:\n%s", code, errs)
	}
	if err := sendOne(g.address("smtp", "edge"), "bob@local.test", "still here"); err != nil {
		t.Errorf("after a refused reload mail is not taken: %v", err)
	}
	g.write(strings.Replace(string(good), `policy "open" {}`,
		"policy \"open\" {\n  rcpt {\n    reject \"all\" {\n      text = \"5.7.1 Not today\"\n    }\n  }\n}\n", 1))
	if code, _, errs := forepost("reload", "--data", g.data()); code != exitDone {
		t.Fatalf("reload ends with %d:\n%s", code, errs)
	}
	if err := sendOne(g.address("smtp", "edge"), "bob@local.test", "refused"); err == nil || !strings.Contains(err.Error(), "Not today") {
		t.Errorf("the new policy is not in force: %v", err)
	}
	if after := g.address("smtp", "edge"); after != before {
		t.Errorf("the listener moved from %s to %s: its connections were cut", before, after)
	}
	s, err := g.client().Status(context.Background())
	if err != nil || !reflect.DeepEqual(s.Servers, doors.Servers) {
		t.Errorf("%+v, %v; before the reloads %+v", s, err, doors.Servers)
	}
}

// What only a filter, a key or a certificate knows to be wrong is told by check as
// all other mistakes are, all of them at once, and serve refuses it likewise.
func TestMistakesThatOnlyMakingShows(t *testing.T) {
	file := writeFile(t, "bad.hcl", `hostname = "mx.example.com"
domain "example.com" {
  route = route.mx
  dkim = [
    { selector = "a", key = "no key" },
  ]
}
listener "edge" {
  address = "127.0.0.1:0"
  policy  = policy.limited
}
policy "limited" {
  rcpt {
    limit "x" {
      key  = client.ip
      rate = "120 an hour"
    }
    limit "y" {
      key  = client.ip
      rate = ["1/1h", "many"]
    }
  }
}
`)
	code, out, _ := forepost("check", "--config", file)
	for _, want := range []string{"line 5, in domain \"example.com\":\n  5:     { selector = \"a\"", "PEM",
		"line 14, in policy \"limited\":\n  14:     limit \"x\" {", "line 18, in policy", "300/1h"} {
		if code != exitFailed || !strings.Contains(out, want) {
			t.Errorf("check ends with %d and does not say %q:\n%s", code, want, out)
		}
	}
	if code, _, errs := forepost("serve", "--config", file, "--data", t.TempDir()); code != exitConfig || !strings.Contains(errs, "bad.hcl:14") {
		t.Errorf("serve ends with %d and says %s", code, errs)
	}
}
