package inbound

import (
	"strings"
	"testing"
)

// TestRequireTLS: under TLS REQUIRETLS is offered, taken, and stands in the
// envelope (RFC 8689 section 4.1); where there is none it is not known.
func TestRequireTLS(t *testing.T) {
	s := newSite(func(c *Config) { c.TLS = testTLS(t) }).start(t)
	c := s.dial(t).hello()
	c.say("STARTTLS", "220")
	c.startTLS()
	if got := c.say("EHLO c", "250-mx"); !strings.Contains(got, "REQUIRETLS") {
		t.Errorf("EHLO under TLS: %q", got)
	}
	for _, param := range []string{" REQUIRETLS", ""} {
		c.say("MAIL FROM:<a@b.test>"+param, "250")
		c.say("RCPT TO:<bob@example.com>", "250")
		c.say("DATA", "354")
		c.say("From: a@b.test\r\n\r\n.", "250")
		last := s.spool.committed[s.spool.count()-1].Envelope
		if last.RequireTLS != (param != "") {
			t.Errorf("MAIL%s: RequireTLS is %v", param, last.RequireTLS)
		}
	}
	c.say("MAIL FROM:<a@b.test> REQUIRETLS=1", "501 5.5.4")
	plain := newSite(nil)
	if said := talk(&plain.cfg, []byte("EHLO x\r\nMAIL FROM:<a@b.test> REQUIRETLS\r\n")); strings.Contains(said, "-REQUIRETLS") || !strings.Contains(said, "\r\n555 5.5.4") {
		t.Error(said)
	}
}
