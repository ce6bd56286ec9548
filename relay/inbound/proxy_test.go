package inbound

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"net/netip"
	"strings"
	"testing"

	"github.com/forepost/forepost/relay/pipeline"
)

func proxyFromLoopback(c *Config) {
	c.ProxyFrom = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
}

// v2 is a header of version 2: command, family, length and addresses in hex.
func v2(rest string) string {
	b, err := hex.DecodeString(strings.ReplaceAll(rest, " ", ""))
	if err != nil {
		panic(err)
	}
	return proxyV2Sign + string(b)
}

// TestProxy: whom a proxy names is the client, for policies, trail and relaying.
func TestProxy(t *testing.T) {
	cases := []struct{ why, header, client string }{
		{"version 1", "PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n", "192.0.2.7"},
		{"IPv6", "PROXY TCP6 2001:db8::7 2001:db8::1 4711 25\r\n", "2001:db8::7"},
		{"IPv4 in IPv6", "PROXY TCP6 ::ffff:192.0.2.7 ::1 4711 25\r\n", "192.0.2.7"},
		{"its own connection", "PROXY UNKNOWN\r\n", "127.0.0.1"},
		{"its own connection, with more words", "PROXY UNKNOWN ffff::1 ::2 1 2\r\n", "127.0.0.1"},
		{"version 2", v2("21 11 000c c0000207 c6336401 1267 0019"), "192.0.2.7"},
		{"with a TLV", v2("21 11 0010 c0000207 c6336401 1267 0019 04 0001 00"), "192.0.2.7"},
		{"IPv6", v2("21 21 0024 20010db8000000000000000000000007 20010db8000000000000000000000001 1267 0019"), "2001:db8::7"},
		{"LOCAL, a health check", v2("20 00 0000"), "127.0.0.1"},
		{"LOCAL with addresses that do not count", v2("20 11 000c c0000207 c6336401 1267 0019"), "127.0.0.1"},
		{"unspecified", v2("21 00 0000"), "127.0.0.1"},
	}
	for _, c := range cases {
		for _, size := range []int{1, 1000} {
			s := newSite(proxyFromLoopback)
			var seen string
			s.plan.run = func(at pipeline.Stage, tx *pipeline.Transaction) []pipeline.Verdict {
				seen = tx.Client.String()
				return nil
			}
			s.start(t)
			d := s.dial(t)
			text := c.header + "EHLO client.test\r\n"
			for i := 0; i < len(text); i += size {
				d.send(text[i:min(i+size, len(text))])
			}
			d.want("220 mx.example.com")
			d.want("250-mx.example.com")
			d.say("MAIL FROM:<a@b.test>", "250")
			if seen != c.client {
				t.Errorf("%s, in pieces of %d: the client is %s, want %s", c.why, size, seen, c.client)
			}
		}
	}
}

// TestProxyMalformed is the line XCLIENT/PROXY of threats (Exim CVE-2023-42117):
// a header that is wrong in any way ends the connection without a word.
func TestProxyMalformed(t *testing.T) {
	cases := map[string]string{
		"none at all":                  "EHLO client.test\r\n",
		"another word":                 "PROXIES TCP4 192.0.2.7 192.0.2.1 1 2\r\n",
		"a bare LF":                    "PROXY TCP4 192.0.2.7 192.0.2.1 1 2\nEHLO x\r\n",
		"a short line":                 "PRO\r\nEHLO x\r\n",
		"two spaces":                   "PROXY  TCP4 192.0.2.7 192.0.2.1 1 2\r\n",
		"no family":                    "PROXY \r\nEHLO x\r\n",
		"UDP":                          "PROXY UDP4 192.0.2.7 192.0.2.1 1 2\r\n",
		"the wrong family":             "PROXY TCP4 2001:db8::7 2001:db8::1 1 2\r\n",
		"a zone":                       "PROXY TCP6 fe80::1%eth0 fe80::2 1 2\r\n",
		"a port too large":             "PROXY TCP4 192.0.2.7 192.0.2.1 65536 2\r\n",
		"a port with zeros":            "PROXY TCP4 192.0.2.7 192.0.2.1 01 2\r\n",
		"a word too many":              "PROXY TCP4 192.0.2.7 192.0.2.1 1 2 3\r\n",
		"a line without end":           "PROXY UNKNOWN " + strings.Repeat("x", 200),
		"version 3":                    v2("31 11 000c c0000207 c6336401 1267 0019"),
		"an unknown command":           v2("22 11 000c c0000207 c6336401 1267 0019"),
		"addresses too short":          v2("21 11 000b c0000207 c6336401 1267 00"),
		"IPv6 with the length of IPv4": v2("21 21 000c c0000207 c6336401 1267 0019"),
		"no addresses":                 v2("21 11 0000"),
		"UDP, version 2":               v2("21 12 000c c0000207 c6336401 1267 0019"),
		"far too long":                 v2("21 11 ffff") + strings.Repeat("x", 5000),
	}
	for why, header := range cases {
		s := newSite(proxyFromLoopback).start(t)
		c := s.dial(t)
		c.send(header)
		if l := c.line(); l != "EOF" {
			t.Errorf("%s: said %q", why, l)
		}
	}
}

// TestProxyUntrusted: a header from elsewhere names nobody, and ends the
// connection.
func TestProxyUntrusted(t *testing.T) {
	s := newSite(func(c *Config) { c.ProxyFrom = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} })
	s.start(t)
	c := s.dial(t)
	c.send("PROXY TCP4 192.0.2.7 192.0.2.1 1 25\r\nEHLO x\r\n")
	c.want("220")
	c.want("502 5.7.0 PROXY is not taken from here")
	if l := c.line(); l != "EOF" {
		t.Errorf("heard %q", l)
	}
	c = s.dial(t)
	c.send(v2("21 11 000c c0000207 c6336401 1267 0019") + "EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@y.test>\r\nQUIT\r\n")
	for l := c.line(); l != "EOF"; l = c.line() {
		if l == "TIMEOUT" || strings.HasPrefix(l, "250 2.1.5") {
			t.Errorf("heard %q", l)
		}
	}
	for _, r := range s.trail.all() {
		if r.Client.IP != "127.0.0.1" {
			t.Errorf("the client is %s", r.Client.IP)
		}
	}
}

// TestProxyLimits: limits are of the clients, not of the proxy in front; who may
// relay is judged by the client.
func TestProxyLimits(t *testing.T) {
	s := newSite(func(c *Config) { proxyFromLoopback(c); relayFromLoopback(c); c.MaxPerClient = 1 }).start(t)
	one := s.dial(t)
	one.send("PROXY TCP4 192.0.2.7 192.0.2.1 1 25\r\n")
	one.hello()
	one.say("MAIL FROM:<a@b.test>", "250")
	one.say("RCPT TO:<x@y.test>", "550 5.7.1 Relaying")
	two := s.dial(t)
	two.send("PROXY TCP4 192.0.2.8 192.0.2.1 1 25\r\n")
	two.hello()
	again := s.dial(t)
	again.send("PROXY TCP4 192.0.2.7 192.0.2.1 2 25\r\n")
	again.want("421 4.7.0")
}

// TestProxyTLS: the header stands before TLS.
func TestProxyTLS(t *testing.T) {
	s := newSite(func(c *Config) { proxyFromLoopback(c); c.TLS, c.Implicit = testTLS(t), true }).start(t)
	c := s.dial(t)
	c.send("PROXY TCP4 192.0.2.7 192.0.2.1 1 465\r\n")
	conn := tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true})
	if err := conn.Handshake(); err != nil {
		t.Fatal(err)
	}
	c.conn = conn
	c.hello()
}

// TestProxyShutdown: a proxy that says nothing does not hold up the end.
func TestProxyShutdown(t *testing.T) {
	s := newSite(proxyFromLoopback).start(t)
	silent := s.dial(t)
	named := s.dial(t)
	named.send("PROXY UNKNOWN\r\n")
	named.hello()
	done := make(chan error, 1)
	go func() { done <- s.srv.Shutdown(context.Background()) }()
	named.want("421 4.3.2")
	if l := silent.line(); l != "EOF" {
		t.Errorf("heard %q", l)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// FuzzProxy: no header makes it panic or read beyond its bounds, and what it
// names is an address.
func FuzzProxy(f *testing.F) {
	f.Add([]byte("PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\nEHLO x\r\n"))
	f.Add([]byte(v2("21 11 000c c0000207 c6336401 1267 0019") + "EHLO x\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		conn := &scripted{in: in, piece: 7}
		p, err := readProxy(conn)
		if err == nil && !clientOf(p).IsValid() {
			t.Fatalf("%q names %v", in, p.RemoteAddr())
		}
		if used := len(in) - len(conn.in); used > 2*maxProxyV2+16 {
			t.Fatalf("%d octets were read", used)
		}
		if err == nil && !strings.HasSuffix(string(in), string(p.rest)+string(conn.in)) {
			t.Fatalf("%q: octets behind the header were lost", in)
		}
	})
}
