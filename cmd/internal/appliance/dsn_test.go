package appliance

import (
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"
)

const dsnConfig = `
hostname = "mx.a.test"
domain "a.test" {
  route = route.store
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
`

// dsnPeer is the next server: it knows DSN, writes down what it is asked, and has
// nobody whose name begins with no.
type dsnPeer struct {
	mu    sync.Mutex
	lines []string
}

type dsnPeerSession struct{ p *dsnPeer }

func (p *dsnPeer) NewSession(*smtp.Conn) (smtp.Session, error) { return &dsnPeerSession{p}, nil }

func (s *dsnPeerSession) note(format string, args ...any) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.lines = append(s.p.lines, fmt.Sprintf(format, args...))
}

func (s *dsnPeerSession) Mail(from string, o *smtp.MailOptions) error {
	s.note("%s %s %q", from, o.Return, o.EnvelopeID)
	return nil
}

func (s *dsnPeerSession) Rcpt(to string, o *smtp.RcptOptions) error {
	s.note("%s %v %s %q", to, o.Notify, o.OriginalRecipientType, o.OriginalRecipient)
	if strings.HasPrefix(to, "no") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "nobody"}
	}
	return nil
}

func (s *dsnPeerSession) Data(r io.Reader) error {
	_, err := io.Copy(io.Discard, r)
	return err
}
func (s *dsnPeerSession) Reset()        {}
func (s *dsnPeerSession) Logout() error { return nil }

// TestDSNParameters: threats.md, "DSN content". What a client says for reports
// arrives at the next server as it was, and stands in our own report, whatever
// characters it has (xtext, RFC 3461 section 4); RET is honoured.
func TestDSNParameters(t *testing.T) {
	p := &dsnPeer{}
	srv := smtp.NewServer(p)
	srv.Domain, srv.EnableDSN = "mx.b.test", true
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(l)
	defer srv.Close()
	now, _ := clock()
	a := oneGateway(t, t.TempDir(), dsnConfig, now, uint16(l.Addr().(*net.TCPAddr).Port))
	defer func() { stopGateway(t, a) }()

	const parameters = "RET=%s ENVID=a+2Bb+3D+20c"
	for i, ret := range []string{"FULL", "HDRS"} {
		dsnTalk(t, addressOf(t, a), "MAIL FROM:<ann@a.test> "+fmt.Sprintf(parameters, ret),
			"RCPT TO:<bob@b.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b+2Bx+3D@b.test", "RCPT TO:<no@b.test> ORCPT=rfc822;n+2Bo@b.test")
		until(t, "no report came", func() bool { return inbox(t, a, "ann@a.test") == i+1 && a.keep.queue.Stats().Entries == 0 })
		acc, _ := a.keep.store.Account("ann@a.test")
		box, err := acc.Mailbox("INBOX")
		if err != nil {
			t.Fatal(err)
		}
		got := string(readAll(t, box.Snapshot().Messages[i].Message))
		for _, want := range []string{"\r\nOriginal-Envelope-Id: a+b= c\r\n", "\r\nOriginal-Recipient: rfc822;n+o@b.test\r\n", "\r\nFinal-Recipient: rfc822; no@b.test\r\n", "\r\nAction: failed\r\n"} {
			if !strings.Contains(got, want) {
				t.Errorf("RET=%s: no %q in\n%s", ret, want, got)
			}
		}
		if full := strings.Contains(got, "The body."); full != (ret == "FULL") {
			t.Errorf("RET=%s: the body is there: %v", ret, full)
		}
	}
	want := []string{`ann@a.test FULL "a+b= c"`, `bob@b.test [SUCCESS FAILURE] RFC822 "b+x=@b.test"`, `no@b.test [] RFC822 "n+o@b.test"`}
	p.mu.Lock()
	defer p.mu.Unlock()
	if got := strings.Join(p.lines[:min(3, len(p.lines))], "\n"); got != strings.Join(want, "\n") {
		t.Errorf("the next server was told\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// dsnTalk sends a message by hand.
func dsnTalk(t *testing.T, address string, commands ...string) {
	t.Helper()
	c, err := textproto.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.ReadResponse(220)
	for _, cmd := range append([]string{"EHLO client.test"}, commands...) {
		id, err := c.Cmd("%s", cmd)
		if err != nil {
			t.Fatal(err)
		}
		c.StartResponse(id)
		if _, _, err := c.ReadResponse(250); err != nil {
			t.Fatalf("%s: %v", cmd, err)
		}
		c.EndResponse(id)
	}
	c.PrintfLine("DATA")
	if _, _, err := c.ReadResponse(354); err != nil {
		t.Fatal(err)
	}
	c.PrintfLine("From: ann@a.test\r\nSubject: x\r\n\r\nThe body.\r\n.")
	if _, _, err := c.ReadResponse(250); err != nil {
		t.Fatal(err)
	}
}
