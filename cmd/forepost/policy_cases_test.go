package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const casesConfig = `hostname = "mx.example.com"

domain "example.com" {
  route      = route.store
  recipients = any
}

listener "edge" {
  address = ":25"
  policy  = policy.inbound
}

policy "inbound" {
  mail {
    reject "bounces" {
      when = mail.null
      text = "5.7.1 No bounces"
    }
  }
}
`

const casesFile = `given "mail" {
  rcpt = ["bob@example.com"]
}

case "a bounce" {
  use  = given["mail"]
  mail = { from = "" }

  expect {
    reply = "550 5.7.1 No bounces"
  }
}

case "a letter" {
  use  = given["mail"]
  mail = { from = "ann@stranger.test" }

  expect {
    verdict = VERDICT
  }
}
`

// TestPolicyTest: the exit code, and each form of the report.
func TestPolicyTest(t *testing.T) {
	dir := t.TempDir()
	config, cases, junit := filepath.Join(dir, "forepost.hcl"), filepath.Join(dir, "tests", "a.test.hcl"), filepath.Join(dir, "report.xml")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(config, casesConfig)
	if code, _, errs := forepost("policy", "test", "--config", config); code != exitFailed || !strings.Contains(errs, "no tests beside") {
		t.Errorf("without tests: %d, %s", code, errs)
	}
	write(cases, strings.Replace(casesFile, "VERDICT", "accept", 1))
	if code, out, errs := forepost("policy", "test", "--config", config); code != exitDone || !strings.Contains(out, "2 passed, 0 failed; 1 of 1 rules matched") {
		t.Errorf("two that pass: %d\n%s%s", code, out, errs)
	}
	write(cases, strings.Replace(casesFile, "VERDICT", "reject", 1))
	code, out, _ := forepost("policy", "test", "--config", config, cases)
	if code != exitFailed || !strings.Contains(out, cases+":14") || !strings.Contains(out, "verdict: want reject, got accept") {
		t.Errorf("one that fails: %d\n%s", code, out)
	}
	if code, out, _ = forepost("policy", "test", "--config", config, "--run", "bounce", "--junit", junit); code != exitDone || strings.Contains(out, "letter") {
		t.Errorf("--run: %d\n%s", code, out)
	}
	if xml, err := os.ReadFile(junit); err != nil || !strings.Contains(string(xml), `name="a bounce"`) {
		t.Errorf("--junit: %s, %v", xml, err)
	}
	code, out, _ = forepost("policy", "test", "--config", config, "--json")
	if code != exitFailed || !json.Valid([]byte(out)) || !strings.Contains(out, `"failed": 1`) {
		t.Errorf("--json: %d\n%s", code, out)
	}
	write(cases, strings.Replace(casesFile, "VERDICT", "rejct", 1))
	if code, _, errs := forepost("policy", "test", "--config", config); code != exitFailed || !strings.Contains(errs, `Did you mean "reject"?`) {
		t.Errorf("a mistake in a case: %d\n%s", code, errs)
	}
	if code, _, _ := forepost("policy", "test", "--config", config, "--run", "("); code != exitUsage {
		t.Errorf("a bad pattern: %d", code)
	}
}

// TestPolicyWhyAndShow: codes and built-in policies, with and without a name.
func TestPolicyWhyAndShow(t *testing.T) {
	for _, c := range []struct {
		args string
		code int
		says string
	}{
		{"why FP0107", exitDone, "Phases run in the order"},
		{"why fp0107", exitDone, "FP0107: Not known in this phase"},
		{"why FP0107", exitDone, "Wrong:\n\n    rcpt {\n      tag"},
		{"why", exitDone, "FP0307  Password in plain text"},
		{"why FP9999", exitFailed, "no code"},
		{"show", exitDone, "recommended"},
		{"show recommended", exitDone, "policy \"recommended\""},
		{"show nothing", exitFailed, "there is: recommended"},
	} {
		code, out, errs := forepost(append([]string{"policy"}, strings.Fields(c.args)...)...)
		if code != c.code || !strings.Contains(out+errs, c.says) {
			t.Errorf("policy %s ends with %d\n%s%s", c.args, code, out, errs)
		}
	}
}
