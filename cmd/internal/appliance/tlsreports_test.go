package appliance

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/smtp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/relay/report"
)

const (
	tlsReporterConfig = `
hostname = "mx.a.test"
domain "a.test" {
  route = route.store
  dkim  = [ { selector = "s1", key = file("key.pem") } ]
}
account "ann@a.test" {
  password = "secret"
}
listener "edge" {
  address    = "127.0.0.1:0"
  tls        = off
  relay_from = ["127.0.0.1"]
}
dns {
  zone = "zone.json"
}
reports {
  tls  = true
  from = "tls@a.test"
  org  = "A & Co"
}
`
	tlsReaderConfig = `
hostname = "mx.b.test"
domain "b.test" {
  route = route.store
}
account "rep@b.test" {
  password = "secret"
}
` + inboundDoor + `policy "inbound" {
  data {
    reject "no signature" {
      when = dkim.result != "pass" && header("Subject") != "plain"
      text = "5.7.1 A report must be signed"
    }
  }
}
reports {
  read = ["rep@b.test"]
}
`
)

// rua is a destination over HTTPS on loopback.
type rua struct {
	mu   sync.Mutex
	down bool
	got  [][]byte
	typ  string
}

func (r *rua) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.down {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	r.got, r.typ = append(r.got, body), req.Header.Get("Content-Type")
}

func (r *rua) reports() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

// TestADayOfTLSReports: connections of a day, told to the domain's owner by mail and
// over HTTPS; each once, over a failure and a restart; the report's own connection
// is not counted the day after.
func TestADayOfTLSReports(t *testing.T) {
	now, set := clock()
	reader := oneGateway(t, t.TempDir(), tlsReaderConfig, now, 25)
	defer func() { stopGateway(t, reader) }()
	var port uint16
	fmt.Sscanf(addressOf(t, reader), "127.0.0.1:%d", &port)
	r := &rua{down: true}
	web := httptest.NewTLSServer(r)
	defer web.Close()
	pool := x509.NewCertPool()
	pool.AddCert(web.Certificate())

	dir := t.TempDir()
	start := func() *Appliance {
		return oneGateway(t, dir, tlsReporterConfig, now, port, func(o *Options) {
			o.WebTLS = &tls.Config{RootCAs: pool}
			o.WebDial = func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, web.Listener.Addr().String())
			}
		})
	}
	a := start()
	defer func() { stopGateway(t, a) }()

	if err := smtp.SendMail(addressOf(t, a), nil, "ann@a.test", []string{"rep@b.test"}, []byte("From: ann@a.test\r\nSubject: plain\r\n\r\nHi.\r\n")); err != nil {
		t.Fatal(err)
	}
	until(t, "the mail did not arrive", func() bool { return inbox(t, reader, "rep@b.test") == 1 && a.keep.queue.Stats().Entries == 0 })

	set(now().Truncate(24 * time.Hour).Add(26 * time.Hour))
	turn(t, a)
	until(t, "no report arrived by mail", func() bool { return inbox(t, reader, "rep@b.test") == 2 })
	if n := r.reports(); n != 0 {
		t.Errorf("%d reports at a server that was down", n)
	}
	r.mu.Lock()
	r.down = false
	r.mu.Unlock()
	turn(t, a) // too early
	stopGateway(t, a)
	a = start()
	turn(t, a)
	turn(t, a)
	if n := r.reports(); n != 1 || r.typ != report.TLSMedia {
		t.Fatalf("%d reports over HTTPS, of type %q", n, r.typ)
	}
	if n := inbox(t, reader, "rep@b.test"); n != 2 {
		t.Errorf("%d messages, want the mail and its report", n)
	}
	got, err := report.Read(r.got[0])
	if err != nil || got.Kind != report.KindTLS || got.TLS.Org != "A & Co" || len(got.TLS.Policies) != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	checkPolicy(t, got.TLS.Policies[0])
	turn(t, reader)
	list, err := admin.Dial(reader.o.Socket).Reports(t.Context(), admin.ReportsQuery{Since: 48 * time.Hour})
	if err != nil || len(list) != 1 || list[0].Kind != report.KindTLS || list[0].Domain != "b.test" || list[0].Fail != 1 || list[0].Mail != "<tls@a.test>" {
		t.Errorf("forepost reports: %+v, %v", list, err)
	}

	set(now().Truncate(24 * time.Hour).Add(26 * time.Hour))
	turn(t, a)
	if n := r.reports(); n != 1 {
		t.Errorf("the report of the report: %s", r.got[n-1])
	}
}

// checkPolicy: the reader has no STARTTLS, and its domain has no policy.
func checkPolicy(t *testing.T, p report.TLSPolicy) {
	t.Helper()
	if p.Type != "no-policy-found" || p.Domain != "b.test" || p.Success != 0 || p.Failure != 1 || len(p.Failures) != 1 {
		t.Fatalf("%+v", p)
	}
	if f := p.Failures[0]; f.Type != "starttls-not-supported" || f.MX != "mx.b.test" || f.SendingIP != "127.0.0.1" || f.Count != 1 || !strings.Contains(f.Reason, "does not offer STARTTLS") {
		t.Errorf("%+v", f)
	}
}
