package main

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/smtp"
	"strings"
	"testing"

	"github.com/forepost/forepost/filters"
	"github.com/forepost/forepost/filters/arc"
	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/pipeline"
)

const arcConfig = `
hostname = "gw.test"
dns {
  zone = %q
}
listener "edge" {
  address = "127.0.0.1:0"
  tls     = off
  policy  = policy.forward
}
domain "local.test" {
  route      = route.sink
  recipients = any
  dkim       = [{ selector = "s1", key = file(%q) }]
}
route "sink" {
  to = [%q]
}
policy "forward" {
  data {
    modify "list" {
      add_header = { "X-List" = "local.test" }
    }
    sign "arc" {}
  }
}
`

// TestARCThroughTheGateway: what a gateway with sign "arc" {} hands on has a link
// that others validate, and a second pass through it adds the next one.
func TestARCThroughTheGateway(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, _ := x509.MarshalPKIXPublicKey(key.Public())
	names := dns.Names{"s1._domainkey.local.test": {"TXT": []string{"v=DKIM1; p=" + base64.StdEncoding.EncodeToString(der)}}}
	text, _ := json.Marshal(names)
	zone := writeFile(t, "zone.json", string(text))
	private := writeFile(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})))
	out := newSink(t)
	g := serveGateway(t, fmt.Sprintf(arcConfig, zone, private, out.addr))

	msg := "From: ann@example.test\r\nTo: list@local.test\r\nSubject: lunch\r\nDate: Mon, 23 Nov 2026 07:00:00 +0000\r\n\r\nAt noon?\r\n"
	for i := range 2 {
		if err := smtp.SendMail(g.address("smtp", "edge"), nil, "ann@example.test", []string{"list@local.test"}, []byte(msg)); err != nil {
			t.Fatal(err)
		}
		waitFor(t, func() (string, bool) {
			n := out.subjects()["lunch"]
			return fmt.Sprintf("%d messages came out", n), n > i
		})
		out.mu.Lock()
		msg = out.raw["lunch"]
		out.mu.Unlock()
		fd := chainFound(t, dns.MustZone(names), msg)
		if fd.Facts["result"] != "pass" || fd.Facts["chain"] != float64(i+1) || fd.Facts["trusted"] != true {
			t.Errorf("pass %d: %v: %s\n%s", i+1, fd.Facts, fd.Reason, msg)
		}
		if want := fmt.Sprintf("ARC-Authentication-Results: i=%d; gw.test;", i+1); !strings.Contains(msg, want) || !strings.HasPrefix(msg, "ARC-Seal: ") {
			t.Errorf("no %q on top of\n%s", want, msg)
		}
	}
}

// chainFound is what the filter says of a message.
func chainFound(t *testing.T, zone dns.Resolver, msg string) pipeline.Finding {
	t.Helper()
	f, err := arc.Kind().Build(&arc.Settings{Trusted: []string{"local.test"}}, filters.Deps{DNS: zone})
	if err != nil {
		t.Fatal(err)
	}
	tx := pipeline.NewTransaction(&pipeline.Session{})
	tx.Message = &mail.Message{Blob: mail.Bytes(msg)}
	if tx.Part, err = mime.Parse(tx.Message, mime.Limits{}); err != nil {
		t.Fatal(err)
	}
	fd, err := f.Inspect(context.Background(), tx)
	if err != nil {
		t.Fatal(err)
	}
	return fd
}
