package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/forepost/forepost/cmd/internal/authcheck"
)

// batchLines runs a batch and gives its answers.
func batchLines(t *testing.T, file string, wantCode int, args ...string) []string {
	t.Helper()
	code, out, errs := forepost(append([]string{"auth", "--batch", file}, args...)...)
	if code != wantCode {
		t.Fatalf("the batch ends with %d, want %d\n%s", code, wantCode, errs)
	}
	return strings.Split(strings.TrimSuffix(out, "\n"), "\n")
}

func answerOf(t *testing.T, line string) (a authcheck.Answer) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&a); err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return a
}

// The shape of an answer is a promise, to the letter.
func TestAuthShape(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "cases.jsonl")
	text := `{"ip": "192.0.2.1", "helo": "mx.example.test", "mail_from": "ann@example.test", "zone": {"example.test": {"TXT": ["v=spf1 -all"]}}}
{"eml": "letter.eml", "ip": "192.0.2.1", "mail_from": "", "zone": "dns.json"}

{"eml": "letter.eml", "ip": "192.0.2.1", "mail_from": "<x@slow.test>", "zone": "dns.json"}`
	for name, data := range map[string]string{
		"cases.jsonl": text,
		"letter.eml":  "From: ann@example.test\nSubject: LF\n\nhi\n",
		"dns.json":    `{"_dmarc.example.test": {"TXT": ["v=DMARC1; p=reject; t=y"]}, "slow.test": {"error": "timeout"}}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := batchLines(t, file, exitDone, "--hostname", "gw.test")
	want := []string{
		`{"spf":{"result":"fail","domain":"example.test","mechanism":"all"},"dkim":[],"dmarc":{"result":"none","policy":"none","disposition":"none","domain":"","from":""},"arc":{"result":"none","chain":0},"authentication_results":"gw.test; spf=fail smtp.mailfrom=example.test"}`,
		`{"spf":{"result":"none","domain":"","mechanism":""},"dkim":[],"dmarc":{"result":"fail","policy":"reject","disposition":"quarantine","domain":"example.test","from":"example.test"},"arc":{"result":"none","chain":0},"authentication_results":"gw.test; dkim=none; dmarc=fail header.from=example.test polrec.p=reject; spf=none"}`,
		`{"spf":{"result":"temperror","domain":"slow.test","mechanism":""},"dkim":[],"dmarc":{"result":"temperror","policy":"reject","disposition":"none","domain":"example.test","from":"example.test"},"arc":{"result":"none","chain":0},"authentication_results":"gw.test; dkim=none; dmarc=temperror header.from=example.test polrec.p=reject; spf=temperror smtp.mailfrom=slow.test"}`,
	}
	for i := range want {
		// A message without a chain may have that said of it.
		if one := strings.Replace(got[i], "arc=none; ", "", 1); one != want[i] {
			t.Errorf("line %d:\n%s\nwant\n%s", i+1, one, want[i])
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d answers, want %d", len(got), len(want))
	}
}

// One bad case spoils neither the others nor their order.
func TestAuthBadCases(t *testing.T) {
	good := `{"ip": "192.0.2.1", "mail_from": "a@b.test", "zone": {}}`
	for _, c := range []struct {
		why, line, want string
	}{
		{"no JSON", `ip=192.0.2.1`, "JSON"},
		{"nothing to ask", `{"mail_from": "a@b.test"}`, "neither an ip nor an eml"},
		{"no address", `{"ip": "mx.test", "zone": {}}`, "no IP address"},
		{"no such message", `{"ip": "192.0.2.1", "eml": "none.eml", "zone": {}}`, "none.eml"},
		{"no such zone", `{"ip": "192.0.2.1", "zone": "none.json"}`, "none.json"},
		{"a zone of a third form", `{"ip": "192.0.2.1", "zone": [1]}`, "zone"},
		{"a type that is none", `{"ip": "192.0.2.1", "zone": {"b.test": {"TXTT": ["x"]}}}`, "TXTT"},
	} {
		dir := t.TempDir()
		file := filepath.Join(dir, "cases")
		if err := os.WriteFile(file, []byte(good+"\n"+c.line+"\n"+good+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		got := batchLines(t, file, exitPartly)
		var bad struct{ Error string }
		if len(got) != 3 || json.Unmarshal([]byte(got[1]), &bad) != nil || !strings.Contains(bad.Error, c.want) {
			t.Errorf("%s: %q, want an error with %q on the second line", c.why, got, c.want)
			continue
		}
		if answerOf(t, got[0]).SPF.Result != "none" || got[0] != got[2] {
			t.Errorf("%s: the good cases are answered %s and %s", c.why, got[0], got[2])
		}
		if err := os.WriteFile(file, []byte(c.line), 0o600); err != nil {
			t.Fatal(err)
		}
		batchLines(t, file, exitFailed)
	}
	for _, args := range [][]string{{}, {"--batch", "-", "--ip", "192.0.2.1"}, {"file"}} {
		if code, _, _ := forepost(append([]string{"auth"}, args...)...); code != exitUsage {
			t.Errorf("auth %v ends with %d", args, code)
		}
	}
}

// What auth says is what the gateway writes on top of the same message.
func TestAuthSaysWhatTheGatewayWrites(t *testing.T) {
	dir := t.TempDir()
	zone := filepath.Join(dir, "dns.json")
	letter := filepath.Join(dir, "letter.eml")
	for name, data := range map[string]string{
		zone:   `{"send.test": {"TXT": ["v=spf1 ip4:127.0.0.0/8 -all"]}, "_dmarc.send.test": {"TXT": ["v=DMARC1; p=reject"]}}`,
		letter: "From: a@send.test\nTo: user@rcpt.test\nSubject: same\n\nbody\n",
	} {
		if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	out := newSink(t)
	g := serveGateway(t, strings.NewReplacer("ZONE", zone, "SINK", out.addr).Replace(`
hostname = "gw.test"
dns { zone = "ZONE" }
route "inside" { to = ["SINK"] }
domain "rcpt.test" {
  route      = route.inside
  recipients = any
}
listener "edge" {
  address = "127.0.0.1:0"
  policy  = policy.inbound
}
policy "inbound" {
  data {
    reject "dmarc" {
      when = dmarc.result == "fail"
      text = "5.7.26 Fails DMARC"
    }
  }
}
`))
	if err := sendOne(g.address("smtp", "edge"), "user@rcpt.test", "same"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() (string, bool) { return "not relayed", out.subjects()["same"] == 1 })
	header, _, _ := strings.Cut(out.raw["same"], "\r\n\r\n")
	field := regexp.MustCompile(`(?m)^Authentication-Results: ((?:.*\r\n[ \t])*.*)\r\n`).FindStringSubmatch(header + "\r\n")
	if field == nil {
		t.Fatalf("the gateway wrote no field:\n%s", header)
	}
	args := []string{"auth", "--eml", letter, "--ip", "127.0.0.1", "--helo", "localhost", "--mail-from", "a@send.test",
		"--rcpt", "user@rcpt.test", "--zone", zone, "--hostname", "gw.test"}
	code, said, errs := forepost(append(args, "--json")...)
	if code != exitDone {
		t.Fatalf("auth ends with %d\n%s", code, errs)
	}
	a := answerOf(t, said)
	wrote := regexp.MustCompile(`\r\n[ \t]+`).ReplaceAllString(field[1], " ")
	results := func(s string) []string {
		list := strings.Split(s, "; ")
		slices.Sort(list)
		return slices.DeleteFunc(list, func(r string) bool { return r == "arc=none" }) // this policy asks nothing about ARC
	}
	if !slices.Equal(results(a.AuthenticationResults), results(wrote)) || a.DMARC.Result != "pass" || a.SPF.Result != "pass" {
		t.Errorf("auth says\n%s\nthe gateway wrote\n%s", a.AuthenticationResults, wrote)
	}
	code, said, _ = forepost(args...)
	if code != exitDone || !strings.Contains(said, "dmarc  pass") || !strings.Contains(said, "\nAuthentication-Results: gw.test;\n") {
		t.Errorf("for people (%d):\n%s", code, said)
	}
}
