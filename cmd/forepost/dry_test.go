package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const dryZone = `{"9.113.0.203.in-addr.arpa": {"PTR": ["mail.stranger.test."]}, "mail.stranger.test": {"A": ["203.0.113.9"]},
  "stranger.test": {"TXT": ["v=spf1 ip4:203.0.113.9 -all"]}}`

// TestDryRuns: what would become of a message, a typed session, and what rules
// would see.
func TestDryRuns(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		t.Helper()
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	config, zone := file("forepost.hcl", casesConfig), file("dns.json", dryZone)
	eml := file("a.eml", "From: ann@stranger.test\nSubject: Hello\n\nHi\n")
	cases := file("a.test.hcl", strings.Replace(casesFile, "VERDICT", "accept", 1))
	over := []string{"--config", config, "--zone", zone, "--ip", "203.0.113.9"}
	message := append([]string{"--eml", eml, "--from", "ann@stranger.test", "--rcpt", "bob@example.com"}, over...)
	for _, c := range []struct {
		why, typed string
		args       []string
		code       int
		says       []string
	}{
		{"a message", "", append([]string{"explain"}, message...), exitDone, []string{"A dry run", "ACCEPT  bob@example.com", "reject  bounces  no"}},
		{"a bounce", "", append([]string{"explain", "--eml", eml, "--rcpt", "<bob@example.com>"}, over...), exitDone, []string{"REJECT  bob@example.com  by inbound.mail.reject.bounces", "said: 550 5.7.1 No bounces"}},
		{"no address", "", []string{"explain", "--eml", eml, "--rcpt", "bob@example.com", "--config", config}, exitUsage, []string{"--ip"}},
		{"no recipient", "", append([]string{"explain", "--eml", eml}, over...), exitUsage, []string{"--rcpt"}},
		{"no such listener", "", append([]string{"explain", "--listener", "inside"}, message...), exitUsage, []string{`no listener "inside"`}},
		{"an ID and a message", "", append([]string{"explain", "x"}, message...), exitUsage, []string{"See:"}},
		{"a session", "HELO a.test\nMAIL FROM:<>\nRCPT TO:<bob@example.com>\nQUIT\n", append([]string{"policy", "session"}, over...), exitDone, []string{"220 mx.example.com ESMTP", "550 5.7.1 No bounces", "mail  reject  bounces  yes", "221"}},
		{"neutral facts", "spf.result\nmail.null\n# a remark\n\nweekday()\n? spf.res\n", []string{"policy", "console", "--config", config}, exitDone, []string{"\"none\"  (string)\ntrue  (bool)\n\"mon\"  (string)\n", "spf.result  string"}},
		{"facts of a message", "spf.result\nclient.name\nmsg.subject\nlength(msg.text)\n", append([]string{"policy", "console"}, message...), exitDone, []string{"\"pass\"  (string)\n\"mail.stranger.test\"  (string)\n\"Hello\"  (string)\n"}},
		{"facts of a case", "mail.from\n", []string{"policy", "console", "--config", config, "--tests", cases, "--case", "a letter"}, exitDone, []string{`"ann@stranger.test"`}},
		{"no such case", "", []string{"policy", "console", "--config", config, "--tests", cases, "--case", "a latter"}, exitFailed, []string{"no case"}},
		{"an expression that is wrong", "spf.reslt\n", []string{"policy", "console", "--config", config}, exitFailed, []string{`Did you mean "spf.result"?`}},
		{"checked", "", []string{"policy", "check", "--config", config}, exitDone, []string{"no errors"}},
		{"help about facts", "", []string{"help", "policy", "facts", "spf.result"}, exitDone, []string{"spf.result\n", "softfail", "from mail on"}},
		{"help about functions", "", []string{"help", "policy", "functions"}, exitDone, []string{"listed(x: ", "weekday() is \"mon\""}},
		{"help about policies", "", []string{"help", "policy"}, exitDone, []string{"blocks, phases, verbs, facts, functions, filters, diagnostics", "session"}},
		{"help about a command", "", []string{"help", "policy", "fmt"}, exitDone, []string{"--check"}},
		{"help about nothing", "", []string{"help", "policy", "vrbs"}, exitUsage, []string{"there is no help"}},
		{"an unknown form", "", []string{"check", "--format", "xml", "--config", config}, exitUsage, []string{"sarif"}},
		{"no configuration", "", []string{"check", "--format", "github", "--config", filepath.Join(dir, "none.hcl")}, exitFailed, []string{"::error", "title=FP0002"}},
	} {
		code, out, errs := foreposted(c.typed, c.args...)
		for _, s := range c.says {
			if code != c.code || !strings.Contains(out+errs, s) {
				t.Errorf("%s: it ends with %d, and %q is not in\n%s%s", c.why, code, s, out, errs)
			}
		}
	}
	code, out, _ := forepost("check", "--format", "sarif", "--config", filepath.Join(dir, "none.hcl"))
	if code != exitFailed || !json.Valid([]byte(out)) || !strings.Contains(out, `"ruleId": "FP0002"`) {
		t.Errorf("sarif ends with %d\n%s", code, out)
	}
	// What only making a filter shows has its place, too.
	broken := file("broken.hcl", casesConfig+"\nfilter \"content\" \"c\" {\n  words = []\n}\n")
	code, out, _ = forepost("check", "--format", "json", "--config", broken)
	if code != exitFailed || !strings.Contains(out, `"FP0214"`) || !strings.Contains(out, `"line": 22`) {
		t.Errorf("json of a filter that cannot be made ends with %d\n%s", code, out)
	}
}

// TestDryRunElsewhere: on a machine that has neither the secrets nor the directory
// of a configuration, a dry run says what it can; what cannot be made at all is an
// error, no panic.
func TestDryRunElsewhere(t *testing.T) {
	config := filepath.Join(t.TempDir(), "forepost.hcl")
	text := "hostname = \"mx.example.com\"\n\nlist \"staff\" {\n  type   = address\n  source = \"ldaps://dc1.test/dc=example,dc=test?mail\"\n}\n\n" +
		"domain \"example.com\" {\n  route      = route.mx\n  recipients = list.staff\n  dkim       = [{ selector = \"a\", key = KEY }]\n}\n\n" +
		"listener \"edge\" {\n  address = \":25\"\n  policy  = policy.p\n}\n\npolicy \"p\" {\n  data {\n    sign \"dkim\" {}\n  }\n}\n"
	typed := "HELO a.test\nMAIL FROM:<ann@stranger.test>\nRCPT TO:<bob@example.com>\nDATA\nFrom: ann@stranger.test\n\nHi\n.\nQUIT\n"
	for key, c := range map[string]struct {
		code int
		says string
	}{
		`secret("not-here")`: {exitDone, "354 "},
		`"no key"`:           {exitFailed, "PEM"},
	} {
		if err := os.WriteFile(config, []byte(strings.Replace(text, "KEY", key, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, errs := foreposted(typed, "policy", "session", "--config", config, "--ip", "203.0.113.9")
		if code != c.code || !strings.Contains(out+errs, c.says) || strings.Contains(out, "451 ") {
			t.Errorf("with %s it ends with %d\n%s%s", key, code, out, errs)
		}
	}
}
