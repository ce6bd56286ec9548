package report

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func someTLS() *TLS {
	return &TLS{Org: "A & Co", Contact: "tls@a.test", ID: "86400.b.test@a.test", Begin: time.Unix(86400, 0).UTC(), End: time.Unix(172799, 0).UTC(),
		Policies: []TLSPolicy{
			{Type: "sts", Domain: "b.test", Success: 7, Failure: 3, Failures: []TLSFailure{
				{Type: "certificate-expired", SendingIP: "192.0.2.1", MX: "mx.b.test", Count: 2, Reason: "x509: <old>"},
				{Type: "starttls-not-supported", MX: "mx2.b.test", Count: 1}}},
			{Type: "tlsa", Domain: "b.test", Success: 1},
		}}
}

// What we write is what we read, in each of its forms.
func TestWrittenTLSIsRead(t *testing.T) {
	r := someTLS()
	text := r.Message(Mailing{From: addr(t, "tls@a.test"), To: addr(t, "rua@b.test"), Submitter: "a.test", Date: time.Unix(172900, 0).UTC()}, "b.test")
	for name, in := range map[string][]byte{"JSON": r.JSON(), "gzip": r.Packed(), "message": text} {
		got, err := Read(in)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(&Report{Kind: KindTLS, TLS: r}, got); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	for _, want := range []string{"Subject: Report Domain: b.test\r\n Submitter: a.test\r\n Report-ID: <86400.b.test@a.test>\r\n", "TLS-Report-Domain: b.test\r\n",
		"TLS-Report-Submitter: a.test\r\n", "TLS-Required: No\r\n", "Content-Type: multipart/report; report-type=\"tlsrpt\"; boundary=",
		"Content-Type: application/tlsrpt+gzip; name=\"a.test!b.test!86400!172799.json.gz\"", "Auto-Submitted: auto-generated\r\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// TestTLSJSON: the report letter by letter, RFC 8460 section 4.4.
func TestTLSJSON(t *testing.T) {
	r := &TLS{Org: "A", Contact: "c", ID: "1", Begin: time.Unix(0, 0), End: time.Unix(86399, 0), Policies: []TLSPolicy{{Type: "sts", Domain: "b.test", Success: 1, Failure: 2,
		Text: []string{"version: STSv1"}, MX: []string{"*.b.test"}, Failures: []TLSFailure{{Type: "validation-failure", SendingIP: "192.0.2.1", Receiving: "192.0.2.2", MX: "mx.b.test", Count: 2}}}}}
	want := `{"contact-info":"c","date-range":{"end-datetime":"1970-01-01T23:59:59Z","start-datetime":"1970-01-01T00:00:00Z"},"organization-name":"A",` +
		`"policies":[{"failure-details":[{"failed-session-count":2,"receiving-ip":"192.0.2.2","receiving-mx-hostname":"mx.b.test","result-type":"validation-failure","sending-mta-ip":"192.0.2.1"}],` +
		`"policy":{"mx-host":["*.b.test"],"policy-domain":"b.test","policy-string":["version: STSv1"],"policy-type":"sts"},` +
		`"summary":{"total-failure-session-count":2,"total-successful-session-count":1}}],"report-id":"1"}`
	if got := string(r.JSON()); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

func TestTLSDestinations(t *testing.T) {
	for _, c := range []struct {
		records []string
		want    string
	}{
		{[]string{"v=TLSRPTv1; rua=mailto:reports@b.test"}, "reports@b.test;"},
		{[]string{"v=spf1 -all", "v=TLSRPTv1;rua = https://b.test/v1/tlsrpt , mailto:a%2Bb@b.test;x=y"}, "https://b.test/v1/tlsrpt;a+b@b.test;"},
		{[]string{"v=TLSRPTv1; rua=http://b.test/,ftp://b.test,mailto:,mailto:x,mailto:a@[192.0.2.1],https:///x,https://u:p@b.test/,mailto:a@b.test?subject=x"}, "a@b.test;"},
		{[]string{"v=TLSRPTv1; rua=mailto:a@b.test", "v=TLSRPTv1; rua=mailto:c@b.test"}, ""},
		{[]string{"v=TLSRPTv2; rua=mailto:a@b.test"}, ""},
		{[]string{"v=TLSRPTv1"}, ""},
		{[]string{"v=TLSRPTv1; rua=" + strings.Repeat("mailto:a@b.test,", 9)}, strings.Repeat("a@b.test;", 5)},
		{nil, ""},
	} {
		got := ""
		for _, d := range TLSDestinations(c.records) {
			if d.URL == "" {
				d.URL = d.To.String()
			}
			got += fmt.Sprint(d.URL, ";")
		}
		if got != c.want {
			t.Errorf("%q: %q, want %q", c.records, got, c.want)
		}
	}
}
