package main

import (
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
)

// What status tells of certificates: which block, whose, until when.
func TestStatusOfCertificates(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	var b strings.Builder
	s := admin.Status{Certificates: []admin.Certificate{{Block: "main", Names: []string{"mx.test", "imap.test"}, Expires: now.Add(49 * time.Hour)},
		{Names: []string{"gw.test"}, Expires: now.Add(-25 * time.Hour), SelfSigned: true}}}
	if err := writeStatus(&b, s, now); err != nil {
		t.Fatal(err)
	}
	has(t, b.String(), " main           certificate for mx.test, imap.test, ends on 2026-11-29, in 2 days\n", " -              self-signed certificate for gw.test, ENDED on 2026-11-26\n")
	g := serveClients(t)
	has(t, g.log.String(), "level=WARN msg=\"no certificate is configured: a self-signed one is used\"", "write a tls block")
	code, out, errs := forepost("status", "--data", g.data())
	if code != 0 {
		t.Fatal(errs)
	}
	has(t, out, "  smtp       edge           127.0.0.1:", "  tls        -              self-signed certificate for mx.local.test, ends on ", ", in 39")
	if code, out, errs := forepost("status", "--data", g.data(), "--format", "{{len .Servers}} {{(index .Certificates 0).SelfSigned}}"); code != 0 || out != "7 true\n" {
		t.Errorf("%d %q %s", code, out, errs)
	}
}
