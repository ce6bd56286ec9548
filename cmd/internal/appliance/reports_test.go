package appliance

import (
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/report"
)

// inboundDoor lets mail in by a policy of the name inbound, in a world whose DNS is
// one file.
const inboundDoor = `
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.inbound
}
dns {
  zone = "zone.json"
}
`

// A world with two gateways: a.test receives mail and reports about it, b.test
// owns domains and reads the reports. Both have one clock and one DNS.
const (
	reporterConfig = `
hostname = "mx.a.test"
domain "a.test" {
  route = route.store
  dkim  = [ { selector = "s1", key = file("key.pem") } ]
}
domain "quiet.test" {
  route = route.store
}
account "ann@a.test" {
  password = "secret"
}
account "sue@quiet.test" {
  password = "secret"
}
` + inboundDoor + `policy "inbound" {
  data {
    reject "forged" {
      when = dmarc.result == "fail" && dmarc.disposition == "reject"
      text = "5.7.1 Forged"
    }
  }
}
reports {
  dmarc   = true
  from    = "dmarc@a.test"
  org     = "A & Co"
  domains = ["a.test"]
}
`
	readerConfig = `
hostname = "mx.b.test"
domain "b.test" {
  route = route.store
}
domain "c.test" {
  route = route.store
}
account "rep@b.test" {
  password = "secret"
  aliases  = ["dmarc@b.test"]
}
account "small@b.test" {
  password = "secret"
}
` + inboundDoor + `policy "inbound" {
  data {
    reject "no report" {
      when = dmarc.result != "pass"
      text = "5.7.1 A report must pass DMARC"
    }
  }
}
reports {
  read = ["dmarc@b.test"]
}
`
	someKeySeed = "0123456789abcdef0123456789abcdef"
)

func reportZone() string {
	key := ed25519.NewKeyFromSeed([]byte(someKeySeed))
	pub := base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey))
	return `{
  "a.test": {"TXT": ["v=spf1 -all"]},
  "_dmarc.a.test": {"TXT": ["v=DMARC1; p=reject"]},
  "s1._domainkey.a.test": {"TXT": ["v=DKIM1; k=ed25519; p=` + pub + `"]},
  "b.test": {"TXT": ["v=spf1 -all"], "MX": ["10 mx.b.test"]},
  "mx.b.test": {"A": ["127.0.0.1"]},
  "_smtp._tls.b.test": {"TXT": ["v=TLSRPTv1; rua=mailto:rep@b.test,https://example.com/tlsrpt"]},
  "_dmarc.b.test": {"TXT": ["v=DMARC1; p=reject; rua=mailto:rep@b.test,mailto:small@b.test!1k,https://b.test/x"]},
  "c.test": {"TXT": ["v=spf1 ip4:127.0.0.1 -all"], "MX": ["10 mx.b.test"]},
  "_dmarc.c.test": {"TXT": ["v=DMARC1; p=none; sp=quarantine; rua=mailto:rep@b.test"]},
  "c.test._report._dmarc.b.test": {"TXT": ["v=DMARC1"]},
  "d.test": {"TXT": ["v=spf1 ip4:127.0.0.1 -all"]},
  "_dmarc.d.test": {"TXT": ["v=DMARC1; p=none; rua=mailto:rep@b.test"]}
}`
}

// oneGateway makes and starts a gateway in dir.
func oneGateway(t *testing.T, dir, config string, now func() time.Time, mxPort uint16, tune ...func(*Options)) *Appliance {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(ed25519.NewKeyFromSeed([]byte(someKeySeed)))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"forepost.hcl": config, "zone.json": reportZone(),
		"key.pem": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := Options{Config: filepath.Join(dir, "forepost.hcl"), Data: filepath.Join(dir, "data"), Socket: filepath.Join(dir, "s"),
		Version: "test", MXPort: mxPort, Now: now, Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	for _, f := range tune {
		f(&o)
	}
	a, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(); err != nil {
		t.Fatal(err)
	}
	return a
}

func stopGateway(t *testing.T, a *Appliance) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := a.Stop(ctx); err != nil {
		t.Error(err)
	}
}

func addressOf(t *testing.T, a *Appliance) string {
	t.Helper()
	for _, e := range a.Status().Servers {
		if e.Kind == "smtp" {
			return e.Address
		}
	}
	t.Fatal("no smtp server")
	return ""
}

func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(15 * time.Second); !f(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal(what)
		}
	}
}

// clock is one that a test moves; it starts at noon, far from the ends of a day.
func clock() (now func() time.Time, set func(time.Time)) {
	var ahead atomic.Int64
	now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())).UTC() }
	set = func(to time.Time) { ahead.Store(int64(time.Until(to))) }
	set(time.Now().UTC().Truncate(24 * time.Hour).Add(36 * time.Hour))
	return now, set
}

// settled tells whether so many messages were decided on, and none waits.
func settled(t *testing.T, a *Appliance, n int) bool {
	t.Helper()
	rs, err := a.Trace(admin.TraceQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	return len(rs) == n && a.keep.queue.Stats().Entries == 0
}

// inbox is how many messages an account has.
func inbox(t *testing.T, a *Appliance, name string) int {
	t.Helper()
	acc, err := a.keep.store.Account(name)
	if err != nil {
		t.Fatal(err)
	}
	box, err := acc.Mailbox("INBOX")
	if err != nil {
		t.Fatal(err)
	}
	return len(box.Snapshot().Messages)
}

func turn(t *testing.T, a *Appliance) {
	t.Helper()
	if err := a.reports.Turn(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestADayOfReports: a day's mail, the clock moved, and the domains' owner reads
// what came of it: signed, so that his policy takes it, once, over a restart of
// the reporter too.
func TestADayOfReports(t *testing.T) {
	now, set := clock()
	reader := oneGateway(t, t.TempDir(), readerConfig, now, 25)
	defer func() { stopGateway(t, reader) }()
	var port uint16
	fmt.Sscanf(addressOf(t, reader), "127.0.0.1:%d", &port)
	dir := t.TempDir()
	reporter := oneGateway(t, dir, reporterConfig, now, port)
	defer func() { stopGateway(t, reporter) }()

	for _, m := range []struct {
		from, author, to string
		n                int
	}{
		{"x@b.test", "boss@b.test", "ann@a.test", 3},              // forged: rejected
		{"news@c.test", "news@c.test", "ann@a.test", 2},           // passes by SPF
		{"x@b.test", "no-such@sub.c.test", "ann@a.test", 1},       // p of a subdomain, not followed
		{"x@b.test", "boss@b.test", "sue@quiet.test", 5},          // this domain of ours does not report
		{"news@d.test", "news@d.test", "ann@a.test", 1},           // b.test never agreed to read for d.test
		{"x@nowhere.test", "x@nowhere.test", "ann@a.test", 1},     // no policy, no report
		{"x@b.test", "news@c.test, boss@b.test", "ann@a.test", 1}, // not one author
	} {
		for range m.n {
			text := "From: " + m.author + "\r\nSubject: x\r\n\r\nHi.\r\n"
			err := smtp.SendMail(addressOf(t, reporter), nil, m.from, []string{m.to}, []byte(text))
			if refused := m.author == "boss@b.test"; (err != nil) != refused {
				t.Fatalf("%+v: %v", m, err)
			}
		}
	}
	until(t, "the mail did not arrive", func() bool { return inbox(t, reporter, "ann@a.test") == 6 && settled(t, reporter, 14) })
	turn(t, reporter) // the day is not over
	if n := reporter.keep.queue.Stats().Entries; n != 0 {
		t.Errorf("%d messages are in the queue before the day is over", n)
	}

	set(now().Truncate(24 * time.Hour).Add(26 * time.Hour))
	turn(t, reporter)
	until(t, "no two reports arrived", func() bool { return inbox(t, reader, "rep@b.test") == 2 })
	turn(t, reporter)
	stopGateway(t, reporter)
	reporter = oneGateway(t, dir, reporterConfig, now, port)
	turn(t, reporter)
	until(t, "the queue does not empty", func() bool { return reporter.keep.queue.Stats().Entries == 0 })
	if n := inbox(t, reader, "rep@b.test"); n != 2 {
		t.Errorf("%d reports after a restart, want 2", n)
	}
	if n := inbox(t, reader, "small@b.test"); n != 0 {
		t.Errorf("%d reports went to one who takes 1,024 octets", n)
	}
	turn(t, reader)
	checkSummaries(t, reader)
}

func checkSummaries(t *testing.T, reader *Appliance) {
	t.Helper()
	turn(t, reader) // nothing counts twice
	c := admin.Dial(reader.o.Socket)
	list, err := c.Reports(t.Context(), admin.ReportsQuery{Since: 48 * time.Hour})
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	if none, err := c.Reports(t.Context(), admin.ReportsQuery{Domain: "d.test"}); err != nil || len(none) != 0 {
		t.Errorf("about d.test: %+v, %v", none, err)
	}
	want := map[string]string{
		"b.test": "dmarc A & Co <dmarc@a.test> 3 0 3: 127.0.0.1 3 fail fail reject b.test",
		"c.test": "dmarc A & Co <dmarc@a.test> 3 2 1: 127.0.0.1 2 fail pass pass c.test; 127.0.0.1 1 fail fail none sub.c.test",
	}
	for _, s := range list {
		one, err := c.Reports(t.Context(), admin.ReportsQuery{ID: s.ID})
		if err != nil || len(one) != 1 || s.Rows != nil {
			t.Fatalf("%+v, %v", one, err)
		}
		if got := lineOf(one[0]); got != want[s.Domain] {
			t.Errorf("%s: %s\nwant %s", s.Domain, got, want[s.Domain])
		}
	}
}

func lineOf(s report.Summary) string {
	var rows []string
	for _, r := range s.Rows {
		rows = append(rows, fmt.Sprintf("%s %d %s %s %s %s", r.IP, r.Count, r.DKIM, r.SPF, r.Disposition, r.From))
	}
	return fmt.Sprintf("%s %s %s %d %d %d: %s", s.Kind, s.Org, s.Mail, s.Messages, s.Pass, s.Fail, strings.Join(rows, "; "))
}

// TestReasonsAndSignatures: what is on the wire, as its reader parses it.
func TestReasonsAndSignatures(t *testing.T) {
	now, set := clock()
	reader := oneGateway(t, t.TempDir(), readerConfig, now, 25)
	defer func() { stopGateway(t, reader) }()
	var port uint16
	fmt.Sscanf(addressOf(t, reader), "127.0.0.1:%d", &port)
	reporter := oneGateway(t, t.TempDir(), reporterConfig, now, port)
	defer func() { stopGateway(t, reporter) }()
	text := "DKIM-Signature: v=1; a=rsa-sha256; d=b.test; s=gone; h=from; bh=AAAA; b=AAAA\r\nFrom: no@sub.c.test\r\n\r\nHi.\r\n"
	if err := smtp.SendMail(addressOf(t, reporter), nil, "x@c.test", []string{"ann@a.test"}, []byte(text)); err != nil {
		t.Fatal(err)
	}
	until(t, "the mail did not arrive", func() bool { return inbox(t, reporter, "ann@a.test") == 1 && settled(t, reporter, 1) })
	set(now().Truncate(24 * time.Hour).Add(26 * time.Hour))
	turn(t, reporter)
	until(t, "no report arrived", func() bool { return inbox(t, reader, "rep@b.test") == 1 })
	acc, _ := reader.keep.store.Account("rep@b.test")
	box, err := acc.Mailbox("INBOX")
	if err != nil {
		t.Fatal(err)
	}
	got := readAll(t, box.Snapshot().Messages[0].Message)
	r, err := report.Read(got)
	if err != nil || r.Kind != report.KindDMARC {
		t.Fatalf("%+v, %v\n%s", r, err, got)
	}
	r.DMARC.ID, r.DMARC.Begin, r.DMARC.End = "", time.Time{}, time.Time{}
	have, _ := json.Marshal(r.DMARC)
	want := `{"version":"1.0","org":"A \u0026 Co","email":"dmarc@a.test","id":"","begin":"0001-01-01T00:00:00Z","end":"0001-01-01T00:00:00Z",` +
		`"generator":"Forepost test","policy":{"domain":"c.test","method":"treewalk","p":"none","sp":"quarantine","adkim":"r","aspf":"r","testing":"n"},` +
		`"records":[{"ip":"127.0.0.1","count":1,"disposition":"pass","dkim":"fail","spf":"pass","header_from":"sub.c.test","envelope_from":"c.test",` +
		`"auth":[{"method":"dkim","domain":"b.test","selector":"gone","result":"permerror"},{"method":"spf","domain":"c.test","scope":"mfrom","result":"pass"}]}]}`
	if string(have) != want {
		t.Errorf("the report says\n%s, want\n%s", have, want)
	}
	for _, want := range []string{"Subject: Report Domain: c.test\r\n Submitter: a.test\r\n Report-ID: <", "Content-Type: application/gzip; name=\"a.test!c.test!", "DKIM-Signature:"} {
		if !strings.Contains(string(got), want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func readAll(t *testing.T, m *mail.Message) []byte {
	t.Helper()
	r, err := m.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := make([]byte, m.Size())
	if _, err := r.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}
