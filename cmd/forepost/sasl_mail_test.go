package main

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/sasl/sasltest"
)

// mailLine is a client's end of an IMAP or POP3 connection.
type mailLine struct {
	t  *testing.T
	c  net.Conn
	in *bufio.Reader
}

func dialMail(t *testing.T, addr string, secure bool) *mailLine {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(30 * time.Second))
	if secure {
		tc := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
		if err := tc.Handshake(); err != nil {
			t.Fatal(err)
		}
		c = tc
	}
	l := &mailLine{t, c, bufio.NewReader(c)}
	l.line()
	return l
}

func (l *mailLine) line() string {
	l.t.Helper()
	s, err := l.in.ReadString('\n')
	if err != nil {
		l.t.Fatal(err)
	}
	return strings.TrimRight(s, "\r\n")
}

func (l *mailLine) say(s string) string {
	l.t.Helper()
	fmt.Fprint(l.c, s+"\r\n")
	return l.line()
}

// scram runs an exchange, and tells how the server ended it: "in", or its reply.
func (l *mailLine) scram(begin string, x *sasltest.Client) string {
	l.t.Helper()
	challenge, ok := strings.CutPrefix(l.say(begin+" "+base64.StdEncoding.EncodeToString(x.First())), "+ ")
	for step := 0; ok; step++ {
		b, err := base64.StdEncoding.DecodeString(challenge)
		if err != nil {
			l.t.Fatal(err)
		}
		var answer []byte
		if step == 0 {
			answer, err = x.Answer(b)
		} else {
			err = x.Verify(b)
		}
		if err != nil {
			l.t.Fatal(err)
		}
		reply := l.say(base64.StdEncoding.EncodeToString(answer))
		if challenge, ok = strings.CutPrefix(reply, "+ "); ok {
			continue
		}
		if (strings.HasPrefix(reply, "a OK") || strings.HasPrefix(reply, "+OK")) && step == 1 {
			fmt.Fprint(l.c, map[bool]string{true: "b LOGOUT", false: "QUIT"}[strings.HasPrefix(begin, "a ")]+"\r\n")
			io.Copy(io.Discard, l.in) // the maildrop is free again
			return "in"
		}
		return reply
	}
	return challenge
}

// SCRAM-SHA-256 over IMAP and POP3: with the password, with a wrong one, bound to TLS,
// and with somebody between whose TLS is another.
func TestSCRAMOverIMAPAndPOP3(t *testing.T) {
	g := serveClients(t)
	for kind, begin := range map[string]string{"imap": "a AUTHENTICATE SCRAM-SHA-256", "pop3": "AUTH SCRAM-SHA-256"} {
		no := map[string]string{"imap": "a NO [AUTHENTICATIONFAILED]", "pop3": "-ERR [AUTH]"}[kind]
		client := func(password string) *sasltest.Client {
			return &sasltest.Client{User: "bob@local.test", Password: password}
		}
		bound := func(l *mailLine) *sasltest.Client {
			state := l.c.(*tls.Conn).ConnectionState()
			data, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
			if err != nil {
				t.Fatal(err)
			}
			return &sasltest.Client{User: "bob@local.test", Password: "secret", Header: "p=tls-exporter,,", Binding: data}
		}
		clear := func() *mailLine { return dialMail(t, g.address(kind, "mail"), false) }
		secure := func() *mailLine { return dialMail(t, g.address(kind, "tls"), true) }
		if got := clear().scram(begin, client("secret")); got != "in" {
			t.Errorf("%s: %q", kind, got)
		}
		if got := clear().scram(begin, client("wrong")); !strings.HasPrefix(got, no) {
			t.Errorf("%s with a wrong password: %q", kind, got)
		}
		l := secure()
		if got := l.scram(begin+"-PLUS", bound(l)); got != "in" {
			t.Errorf("%s bound to TLS: %q", kind, got)
		}
		if got := secure().scram(begin+"-PLUS", bound(secure())); !strings.HasPrefix(got, no) {
			t.Errorf("%s bound to another TLS: %q", kind, got)
		}
		other := client("secret")
		other.Header = "y,,"
		if got := secure().scram(begin, other); !strings.HasPrefix(got, no) {
			t.Errorf("%s, somebody took -PLUS out of the offer: %q", kind, got)
		}
	}
}

// mpop, which speaks SCRAM-SHA-256 over POP3 by GNU SASL, fetches mail.
func TestMpopSCRAM(t *testing.T) {
	need(t, "mpop")
	g := serveClients(t)
	if err := sendOne(g.address("smtp", "edge"), "bob@local.test", "for mpop"); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() (string, bool) {
		return "the message did not arrive", mailbox(t, g, "bob@local.test", "secret")["for mpop"] == 1
	})
	for password, in := range map[string]bool{"secret": true, "wrong": false} {
		box := filepath.Join(g.dir, password+".mbox")
		rc := filepath.Join(g.dir, "mpoprc")
		text := fmt.Sprintf("account default\nhost 127.0.0.1\nport %s\nuser bob@local.test\npassword %s\nauth scram-sha-256\ntls off\nkeep on\nuidls_file %s\ndelivery mbox %s\n",
			g.port("pop3", "mail"), password, filepath.Join(g.dir, password+".uidls"), box)
		if err := os.WriteFile(rc, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("mpop", "-C", rc, "--debug").CombinedOutput()
		got, _ := os.ReadFile(box)
		if (err == nil) != in || strings.Contains(string(got), "Subject: for mpop") != in || !strings.Contains(string(out), "AUTH SCRAM-SHA-256") {
			t.Errorf("mpop with the password %q: %v\n%s\n%s", password, err, out, got)
		}
	}
}
