package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/report"
)

const reportsConfig = `
hostname = "mx.local.test"
domain "local.test" {
  route = route.store
}
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.open
}
policy "open" {}
reports {
  read = ["bob@local.test"]
}
`

const aReport = `<feedback><report_metadata><org_name>Else Ltd</org_name><report_id>r1</report_id>
<date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>
<policy_published><domain>local.test</domain><p>none</p></policy_published>
<record><row><source_ip>192.0.2.7</source_ip><count>4</count><policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>fail</spf>
</policy_evaluated></row><identifiers><header_from>local.test</header_from></identifiers></record></feedback>`

// A report that came in by mail is read at the next start at the latest, and
// listed and shown by the command.
func TestReportsCommand(t *testing.T) {
	g := serveGateway(t, reportsConfig)
	g.addUser("bob@local.test", "secret")
	code, out, errs := forepost("reports", "--data", g.data())
	if code != exitDone || out != "" || errs != "no reports\n" {
		t.Fatalf("%d %q %q", code, out, errs)
	}
	text := "From: dmarc@else.test\r\nTo: bob@local.test\r\nSubject: Report\r\nContent-Type: text/xml\r\n\r\n" + strings.ReplaceAll(aReport, "\n", "\r\n") + "\r\n"
	if code := sendFrom(t, g.address("smtp", "edge"), "dmarc@else.test", text); code != "250" {
		t.Fatal(code)
	}
	g.end(15) // SIGTERM
	g.start()
	waitFor(t, func() (string, bool) {
		_, out, errs = forepost("reports", "list", "--since", "9999d", "--json", "--data", g.data())
		return "no report: " + out + errs + g.log.String(), out != ""
	})
	var s report.Summary
	if err := json.Unmarshal([]byte(out), &s); err != nil || s.Org != "Else Ltd" || s.Fail != 4 || s.Mail != "dmarc@else.test" {
		t.Fatalf("%s: %+v, %v", out, s, err)
	}
	if code, out, _ := forepost("reports", "--since", "9999d", "--format", "{{.Org}} {{.Fail}}", "--data", g.data()); code != exitDone || out != "Else Ltd 4\n" {
		t.Errorf("--format ends with %d\n%s", code, out)
	}
	if code, out, _ := forepost("reports", "show", s.ID, "--data", g.data()); code != exitDone || !strings.Contains(out, "192.0.2.7\t4\tfail\tfail\tfail\tnone\tlocal.test") {
		t.Errorf("show ends with %d\n%s", code, out)
	}
	for _, args := range [][]string{{"--since", "1d"}, {"--since", "9999d", "--domain", "other.test"}} {
		if code, out, errs := forepost(append([]string{"reports", "--data", g.data()}, args...)...); code != exitDone || out != "" || errs != "no reports\n" {
			t.Errorf("%v: %d %s%s", args, code, out, errs)
		}
	}
	if code, _, errs := forepost("reports", "show", "none", "--data", g.data()); code != exitFailed || !strings.Contains(errs, "no report none") {
		t.Errorf("show of nothing: %d %s", code, errs)
	}
	if code, _, _ := forepost("reports", "--since", "soon", "--data", g.data()); code != exitUsage {
		t.Errorf("--since soon ends with %d", code)
	}
}

// Files are read without a gateway; the exit code tells of those that were not.
func TestReportsRead(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.xml"), filepath.Join(dir, "bad.xml")
	for name, text := range map[string]string{good: aReport, bad: "hello"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		args []string
		code int
		out  string
	}{
		{[]string{good}, exitDone, "4 messages: 0 pass, 4 fail"},
		{[]string{good, bad}, exitPartly, "4 messages: 0 pass, 4 fail"},
		{[]string{bad}, exitFailed, ""},
		{[]string{}, exitUsage, ""},
		{[]string{"--json", good}, exitDone, `{"kind":"dmarc","dmarc":{"org":"Else Ltd"`},
	} {
		if code, out, errs := forepost(append([]string{"reports", "read"}, c.args...)...); code != c.code || !strings.Contains(out, c.out) {
			t.Errorf("read %v ends with %d\n%s%s", c.args, code, out, errs)
		}
	}
}

// Reports of others, of every kind, are read as they came: aggregates on DMARC, on
// TLS, and a complaint (ARF, RFC 5965).
func TestReportsReadOverTheSuites(t *testing.T) {
	for file, want := range map[string]string{
		"mail-auth/tlsrpt/rpt02.eml":       `{"kind":"tls"`,
		"mail-auth/tlsrpt/rpt03.json":      `{"kind":"tls"`,
		"parsedmarc/smtp_tls/mail.ru.json": `{"kind":"tls"`,
		"mail-auth/arf/001.eml":            `{"kind":"feedback"`,
		"mail-auth/arf/005.eml":            `{"kind":"feedback"`,
	} {
		code, out, errs := forepost("reports", "read", "--json", filepath.Join(suites(t), "reports", file))
		if code != exitDone || !strings.HasPrefix(out, want) {
			t.Errorf("%s ends with %d\n%.300s%s", file, code, out, errs)
		}
	}
}
