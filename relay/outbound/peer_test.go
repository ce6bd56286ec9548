package outbound

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/route"
)

// lines is the server's side of a dialogue in commands.
type lines struct {
	conn net.Conn
	r    *bufio.Reader
}

func newLines(conn net.Conn) *lines { return &lines{conn, bufio.NewReader(conn)} }

func (l *lines) say(s string) { io.WriteString(l.conn, s+"\r\n") }

func (l *lines) next() (string, bool) {
	s, err := l.r.ReadString('\n')
	return strings.TrimRight(s, "\r\n"), err == nil
}

// peer is a go-smtp server: another's reading of the same RFCs.
type peer struct {
	mu    sync.Mutex
	mails []peerMail
	lmtp  bool
}

type peerMail struct {
	from string
	to   []string
	opts *smtp.MailOptions
	rcpt []*smtp.RcptOptions
	body []byte
}

type peerSession struct {
	p *peer
	m peerMail
}

func (p *peer) NewSession(*smtp.Conn) (smtp.Session, error) { return &peerSession{p: p}, nil }
func (s *peerSession) Reset()                               { s.m = peerMail{} }
func (s *peerSession) Logout() error                        { return nil }

func (s *peerSession) Mail(from string, opts *smtp.MailOptions) error {
	s.m.from, s.m.opts = from, opts
	return nil
}

func (s *peerSession) Rcpt(to string, opts *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "nobody") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	}
	s.m.to, s.m.rcpt = append(s.m.to, to), append(s.m.rcpt, opts)
	return nil
}

func (s *peerSession) Data(r io.Reader) error {
	body, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.m.body = body
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.mails = append(s.p.mails, s.m)
	return nil
}

func startPeer(t *testing.T, p *peer) netip.AddrPort {
	t.Helper()
	srv := smtp.NewServer(p)
	srv.Domain, srv.LMTP = "peer.test", p.lmtp
	srv.TLSConfig = serverTLS(t)
	srv.EnableDSN, srv.EnableSMTPUTF8 = true, true
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })
	return netip.MustParseAddrPort(l.Addr().String())
}

func TestPeer(t *testing.T) {
	for _, lmtp := range []bool{false, true} {
		t.Run(fmt.Sprint("lmtp ", lmtp), func(t *testing.T) { testPeer(t, &peer{lmtp: lmtp}) })
	}
}

func testPeer(t *testing.T, p *peer) {
	addr := startPeer(t, p)
	o := options(t, finder{{Name: "mx1.test", Addrs: []netip.AddrPort{addr}}})
	o.KeepIdle = 0 // as it is by default
	cl := newClient(o, p.lmtp)
	defer cl.Close()
	big := "Subject: \u00fc\r\n\r\n" + strings.Repeat(".\r\n..\r\n"+strings.Repeat("x", 70)+"\r\n", 20000)
	for i, text := range []string{message, big, message} {
		env := envelope("\u00f6@to.test", "nobody@to.test", "c@to.test")
		env.SMTPUTF8, env.EightBit, env.EnvID = true, true, "id=1"
		env.To[2].Notify, env.To[2].Original = mail.NotifyFailure, "rfc822;c+x@to.test"
		as := cl.For(&route.Route{Name: "mx", TLS: route.TLSVerify}).Deliver(t.Context(), env, &mail.Message{Blob: mail.Bytes(text)})
		got := show(as)
		if !strings.HasPrefix(got[0], "delivered 250 2.0.0 ") || got[1] != "hard 550 5.1.1 no such user (reports) (remote)" || !strings.HasPrefix(got[2], "delivered 250 2.0.0 ") {
			t.Fatalf("message %d: %q", i, got)
		}
		if !strings.HasPrefix(as[0].TLS, "TLS 1.3") || !as[0].DSN {
			t.Errorf("TLS %q", as[0].TLS)
		}
		m := p.mails[i]
		if m.from != "a@from.test" || len(m.to) != 2 || m.to[0] != "\u00f6@to.test" || !bytes.Equal(m.body, []byte(text)) {
			t.Errorf("message %d arrived from %s to %s, %d octets of %d", i, m.from, m.to, len(m.body), len(text))
		}
		if m.opts.EnvelopeID != "id=1" || !m.opts.UTF8 || m.opts.Body != smtp.Body8BitMIME || m.rcpt[1].OriginalRecipient != "c+x@to.test" {
			t.Errorf("message %d has options %+v, %+v", i, m.opts, m.rcpt[1])
		}
	}
}
