package main

import (
	"bufio"
	"crypto/tls"
	"io"
	"net"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"
)

// tlsConfig has every sort of port that speaks TLS.
const tlsConfig = saslConfig + `
listener "lmtp" {
  address  = "127.0.0.1:0"
  protocol = lmtp
  policy   = policy.open
}
`

// services are those of tlsConfig, and what is said to begin TLS.
var services = []struct {
	kind, name, scan string
	begin            []string // each is answered with a line or more; the first with the greeting
	quit             string
}{
	{"smtp", "edge", "--starttls-smtp", []string{"", "EHLO c", "STARTTLS"}, "QUIT"},
	{"submission", "submission", "--starttls-smtp", []string{"", "EHLO c", "STARTTLS"}, "QUIT"},
	{"submission", "submissions", "", nil, "QUIT"},
	{"lmtp", "lmtp", "--starttls-smtp", []string{"", "LHLO c", "STARTTLS"}, "QUIT"},
	{"imap", "mail", "--starttls-imap", []string{"", "a STARTTLS"}, "a LOGOUT"},
	{"imap", "tls", "", nil, "a LOGOUT"},
	{"pop3", "mail", "--starttls-pop3", []string{"", "STLS"}, "QUIT"},
	{"pop3", "tls", "", nil, "QUIT"},
}

// The line TLS ticket/SNI confusion of threats, over all services of a gateway: a
// ticket resumes a session where it was given, and nowhere else.
func TestTicketsStayWithTheirService(t *testing.T) {
	g := serveConfig(t, tlsConfig)
	for i, from := range services {
		conf := &tls.Config{InsecureSkipVerify: true, ServerName: "mx.local.test", ClientSessionCache: tls.NewLRUClientSessionCache(1)}
		at := func(j int) bool {
			return resumed(t, g.address(services[j].kind, services[j].name), services[j].begin, services[j].quit, conf)
		}
		if at(i) || !at(i) {
			t.Errorf("%s %s does not take its own ticket: the test tests nothing", from.kind, from.name)
		}
		for j, to := range services {
			if i == j {
				continue
			}
			if at(j) {
				t.Errorf("%s %s took a ticket of %s %s", to.kind, to.name, from.kind, from.name)
			}
			at(i) // its ticket again
		}
	}
}

func resumed(t *testing.T, addr string, begin []string, quit string, conf *tls.Config) bool {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(30 * time.Second))
	in := bufio.NewReader(conn)
	for _, say := range begin {
		if say != "" {
			conn.Write([]byte(say + "\r\n"))
		}
		for line := "   -"; len(line) > 3 && line[3] == '-'; { // SMTP's replies of several lines
			if line, err = in.ReadString('\n'); err != nil {
				t.Fatal(addr, err)
			}
		}
	}
	c := tls.Client(conn, conf)
	if err := c.Handshake(); err != nil {
		t.Fatal(addr, err)
	}
	c.Write([]byte(quit + "\r\n"))
	for buf := make([]byte, 1000); err == nil; _, err = c.Read(buf) { // tickets come with what is read
	}
	return c.ConnectionState().DidResume
}

// weak is what sslscan says of what should not be: old protocols, ciphers without
// forward secrecy or of known weakness, and holes.
var weak = regexp.MustCompile(`(?m)^(SSLv[23]|TLSv1\.[01]) +enabled|^(Accepted|Preferred) .*\b(RC4|DES|3DES|NULL|EXP|MD5|anon|ADH|AECDH|SEED|IDEA)|` +
	`^(Accepted|Preferred) +TLSv1\.2 .* (?:AES|CAMELLIA)\d|\bvulnerable to heartbleed|[Ii]nsecure session renegotiation|Compression enabled|` +
	`(?:RSA|ECC) Key Strength: +(?:512|1024)\b|Signature Algorithm: +(?:md5|sha1)`)

// sslscan finds nothing to complain of at any port, and both protocols that it
// should find.
func TestSSLScan(t *testing.T) {
	need(t, "sslscan")
	g := serveConfig(t, tlsConfig)
	for _, s := range services {
		args := []string{"--no-colour", "--no-groups"}
		if s.scan != "" {
			args = append(args, s.scan)
		}
		address := g.address(s.kind, s.name)
		if s.kind == "lmtp" {
			address = inLMTP(t, address)
		}
		b, err := exec.Command("sslscan", append(args, address)...).CombinedOutput()
		out := strings.ReplaceAll(string(b), "not vulnerable to", "no")
		if bad := weak.FindString(out); err != nil || bad != "" {
			t.Errorf("%s %s: %q, %v\n%s", s.kind, s.name, bad, err, out)
		}
		if !regexp.MustCompile(`TLSv1\.2 +enabled\nTLSv1\.3 +enabled`).MatchString(out) || strings.Count(out, "\nAccepted ") < 3 {
			t.Errorf("%s %s: it found little:\n%s", s.kind, s.name, out)
		}
	}
}

// inLMTP is a door to an LMTP server for programs that say EHLO.
func inLMTP(t *testing.T, address string) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			go translate(client, address)
		}
	}()
	return ln.Addr().String()
}

func translate(client net.Conn, address string) {
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		io.Copy(client, server)
		client.Close()
	}()
	in := bufio.NewReader(client)
	line, _ := in.ReadString('\n')
	io.WriteString(server, strings.Replace(line, "EHLO", "LHLO", 1))
	io.Copy(server, in)
}
