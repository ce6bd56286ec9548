package inbound

import (
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

func TestAuthservID(t *testing.T) {
	cases := map[string]string{
		" mx.test; spf=pass":                   "mx.test",
		" mx.test 1; spf=pass":                 "mx.test",
		"\r\n\tmx.test\r\n\t;x=y":              "mx.test",
		" (c (d\\) e) f) mx.test(x);":          "mx.test",
		` "mx.test" ; x`:                       "mx.test",
		` "mx\.test"`:                          "mx.test",
		" mx.test.;":                           "mx.test",
		" mx.test/1; spf=pass":                 "mx.test",
		" mx.test, spf=pass":                   "mx.test",
		" mx.test(x)1; spf=pass":               "mx.test",
		"\v\f\x00mx.test\x00;":                 "mx.test",
		"\u00a0mx.test\u2003; spf=pass":        "mx.test",
		"\r\n \r\n\tmx.test\r\n 1;none":        "mx.test",
		"mx.test":                              "mx.test",
		" other.test; mx.test=pass":            "other.test",
		" (mx.test) other.test":                "other.test",
		"":                                     "",
		" (never closed mx.test":               "",
		strings.Repeat("(", 100000) + "x":      "",
		" " + strings.Repeat("()", 1000) + ";": "",
	}
	for raw, want := range cases {
		if got := authservID(raw); got != want {
			t.Errorf("%.40q: got %q, want %q", raw, got, want)
		}
	}
}

// TestClaimsToBeOurs is threats.md "HELO vs MAIL FROM, pre-set results": OpenDKIM
// CVE-2022-48521 kept one of several forged fields; others are hidden by
// spelling.
func TestClaimsToBeOurs(t *testing.T) {
	ours := []string{
		"Authentication-Results: mx.example.com; dkim=pass header.d=bank.test",
		"Authentication-Results: mx.example.com; spf=pass", // and one more of them
		"AUTHENTICATION-RESULTS: MX.Example.COM 1; spf=pass",
		"Authentication-Results : mx.example.com; spf=pass",
		"Authentication-Results:\r\n (a (nested) comment)\r\n\t\"mx.example.com.\";\r\n spf=pass",
		"Authentication-Results: mx.example.com",
		"Authentication-Results: mx.example.com; none",
		"Authentication-Results:mx.example.com/1;spf=pass",
		"Authentication-Results: (())(a \\) b) \"mx\\.example.com\" (1) 1 (2);spf=pass",
		"Authentication-Results:\r\n \r\n\tmx.example.com\r\n\t1\r\n\t; spf=pass",
		"Authentication-Results: \u00a0mx.example.com; spf=pass",
		"Authentication-Results: \v\fmx.example.com; spf=pass",
		"ARC-Authentication-Results: i=1; mx.example.com; spf=pass",
		"arc-authentication-results: (;) I = 2\r\n\t;(x) Mx.example.com ;spf=pass",
		"ARC-Authentication-Results: mx.example.com; i=1; spf=pass",
		"Received-SPF: pass receiver=mx.example.com; client-ip=192.0.2.1",
		"Received-SPF: pass (mx.example.com: domain of a@bank.test designates 192.0.2.1 as permitted sender) client-ip=192.0.2.1;",
		"received-spf: Pass\r\n\t(;x) identity=mailfrom;\r\n\tReceiver = \"MX.example.com\";",
	}
	others := []string{
		"Authentication-Results: mx.other.test; dkim=pass header.d=mx.example.com",
		"Authentication-Results: x.mx.example.com; spf=pass",
		"Authentication-Results: mx.example.com.other.test; spf=pass",
		"Authentication-Results: mx.example.com-other; spf=pass",
		"Authentication-Results: (mx.example.com) mx.other.test; spf=pass",
		"X-Authentication-Results: mx.example.com; spf=pass",
		"ARC-Authentication-Results: i=1; mx.other.test; reason=\"; mx.example.com\"",
		"ARC-Seal: i=1; d=mx.example.com",
		"Received-SPF: pass (mx.other.test: domain of a@mx.example.com designates it) receiver=mx.other.test; helo=mx.example.com",
		"Received-SPF: none",
	}
	text := "From: a@b.test\r\n" + strings.Join(ours, "\r\n") + "\r\n" + strings.Join(others, "\r\n") + "\r\n\r\nbody\r\n"
	s := newSite(nil)
	talk(&s.cfg, []byte("EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n"+text+".\r\nQUIT\r\n"))
	if s.spool.count() != 1 {
		t.Fatal("the message was not taken")
	}
	if got := s.spool.text(t, 0); !strings.HasSuffix(got, "\r\nFrom: a@b.test\r\n"+strings.Join(others, "\r\n")+"\r\n\r\nbody\r\n") {
		t.Errorf("kept:\n%s", got)
	}
}

// Mail that comes by a second time brings a link of the ARC chain that we sealed
// ourselves: where the chain was found whole it stays, and nothing else does.
func TestOurLinkOfAWholeChainStays(t *testing.T) {
	p, err := mime.Parse(mail.Bytes("ARC-Authentication-Results: i=1; mx.example.com; spf=pass\r\nReceived-SPF: pass receiver=mx.example.com\r\n\r\n"), mime.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(forged(p, "mx.example.com", false)); n != 2 {
		t.Errorf("without a chain %d fields go, want 2", n)
	}
	if n := len(forged(p, "mx.example.com", true)); n != 1 {
		t.Errorf("of a whole chain %d fields go, want 1", n)
	}
}
