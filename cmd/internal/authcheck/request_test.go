package authcheck

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

func TestSender(t *testing.T) {
	for in, want := range map[string]mail.Address{
		"":                         {},
		"<>":                       {},
		" <Ann@Example.Test> ":     {Local: "Ann", Domain: "example.test"},
		`"a b"@example.test`:       {Local: "a b", Domain: "example.test"},
		"a@b@example.test":         {Local: "a@b", Domain: "example.test"},
		"lyme.eater@A...Example":   {Local: "lyme.eater", Domain: "a...example"},
		"no-at-sign.test":          {Domain: "no-at-sign.test"},
		"x@" + long(70) + ".test":  {Local: "x", Domain: long(70) + ".test"},
		"@example.test":            {Domain: "example.test"},
		"x@[192.0.2.1]":            {Local: "x", Domain: "[192.0.2.1]"},
		"postmaster@b\u00fc.test":  {Local: "postmaster", Domain: "xn--b-eha.test"},
		"<unclosed@example.test":   {Local: "<unclosed", Domain: "example.test"},
		"x@example.test\r\nRCPT a": {Local: "x", Domain: "example.test\r\nrcpt a"},
	} {
		if got := Sender(in); got != want {
			t.Errorf("%q: %+v, want %+v", in, got, want)
		}
	}
}

func long(n int) string { return strings.Repeat("a", n) }

func TestWire(t *testing.T) {
	for in, want := range map[string]string{
		"":             "",
		"\n":           "\r\n",
		"a\nb\n":       "a\r\nb\r\n",
		"a\r\nb\r\n":   "a\r\nb\r\n",
		"a\r\nb\nc":    "a\r\nb\r\nc",
		"a\rb\n\r\n":   "a\rb\r\n\r\n",
		"\n\n\r\n\r\r": "\r\n\r\n\r\n\r\r",
	} {
		if got := string(Wire([]byte(in))); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// counting counts what is asked of a zone.
type counting struct {
	dns.Resolver
	n atomic.Int32
}

func (c *counting) Query(ctx context.Context, name string, qtype uint16) (dns.Answer, error) {
	c.n.Add(1)
	return c.Resolver.Query(ctx, name, qtype)
}

// A case has the budget of a transaction, and a message cannot write results of
// its own into the answer.
func TestCheckIsBounded(t *testing.T) {
	names := dns.Names{}
	for i := range 300 {
		names[fmt.Sprintf("d%d.test", i)] = map[string]any{"TXT": []string{fmt.Sprintf("v=spf1 include:d%d.test -all", i+1)}}
	}
	r := &counting{Resolver: dns.MustZone(names)}
	c, err := NewChecker(r, "gw.test", time.Now)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for i := range 400 {
		fmt.Fprintf(&text, "DKIM-Signature: v=1; a=rsa-sha256; d=d%d.test; s=s; h=from; bh=AAAA; b=AAAA\r\n", i)
	}
	text.WriteString("From: a@d0.test\r\nAuthentication-Results: gw.test; dkim=pass header.d=d0.test\r\n\r\nhi\r\n")
	a, err := c.Check(t.Context(), Case{Client: netip.MustParseAddr("192.0.2.1"), Helo: "d1.test", From: mail.MustParseAddress("x@d0.test"), Message: []byte(text.String())})
	if err != nil {
		t.Fatal(err)
	}
	if n := r.n.Load(); n > pipeline.MaxQuestions {
		t.Errorf("%d questions, at most %d were allowed", n, pipeline.MaxQuestions)
	}
	if a.SPF.Result != "permerror" || len(a.DKIM) > 10 || strings.Contains(a.AuthenticationResults, "dkim=pass") {
		t.Errorf("%+v", a)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Check(ctx, Case{Client: netip.MustParseAddr("192.0.2.1"), From: mail.MustParseAddress("x@d0.test")}); err == nil {
		t.Error("a case was answered after the end")
	}
}
