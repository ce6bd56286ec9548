package inbound

import (
	"crypto/tls"
	"io"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
)

// Tests that carry the name of a line of threats ("SMTP stream and state", "Queue,
// bounce, operations"). The others of those lines: smuggling in and out are
// TestSmuggling and, over two gateways, cmd/forepost; state desync is TestModel;
// BDAT is chunks_test.go; STARTTLS injection is TestSTARTTLSInjection; HTTP on 25
// is unknown.txt; XCLIENT and PROXY spoof are xclient-refused.txt and proxy_test.go.

// TestTicketConfusion is the line TLS ticket/SNI confusion (Postfix 2026-08-05): a
// ticket of one service opens no session of another, though the certificate is
// the same.
func TestTicketConfusion(t *testing.T) {
	cert := testCertificate(t)
	service := func(implicit bool) *site {
		return newSite(func(c *Config) { c.TLS, c.Implicit = &tls.Config{Certificates: []tls.Certificate{cert}}, implicit }).start(t)
	}
	submission, edge := service(true), service(false)
	cache := tls.NewLRUClientSessionCache(10)
	resumed := func(s *site) bool {
		c := s.dial(t)
		if !s.cfg.Implicit {
			c.hello()
			c.say("STARTTLS", "220")
		}
		conn := tls.Client(c.conn, &tls.Config{InsecureSkipVerify: true, ServerName: "mx.example.com", ClientSessionCache: cache})
		if err := conn.Handshake(); err != nil {
			t.Fatal(err)
		}
		c.conn, c.buf = conn, nil
		if s.cfg.Implicit {
			c.want("220")
		}
		c.say("EHLO c", "250")
		c.say("QUIT", "221") // the tickets came before it
		return conn.ConnectionState().DidResume
	}
	if resumed(submission) || !resumed(submission) {
		t.Error("a ticket is not good where it came from: the test tests nothing")
	}
	if resumed(edge) {
		t.Error("a ticket of submission was taken on the edge")
	}
	if !resumed(edge) || resumed(submission) {
		t.Error("a ticket of the edge was taken for submission")
	}
}

// endless says the same for ever.
type endless struct {
	scripted
	read int64
}

func (e *endless) Read(p []byte) (int, error) {
	n, err := e.scripted.Read(p)
	if err == io.EOF && e.read < 1<<30 {
		for i := range p {
			p[i] = 'x'
		}
		n, err = len(p), nil
	}
	e.read += int64(n)
	return n, err
}

// TestEndlessLine is the line Long input / slow input (chasquid 1.2): of a
// gigabyte without a line end nearly nothing is read; TestManyRecipients, TestIdle
// and TestDataTimeout are the others of it.
func TestEndlessLine(t *testing.T) {
	for _, opening := range []string{"", "EHLO x\r\nMAIL FROM:<"} {
		s := newSite(nil)
		conn := &endless{scripted: scripted{in: []byte(opening), piece: 4096}}
		srv, err := New(s.cfg)
		if err != nil {
			t.Fatal(err)
		}
		newConn(srv, conn, clientOf(conn)).run()
		if conn.read > 1<<20 || !strings.HasSuffix(conn.out.String(), "421 4.7.0 Line too long, closing the connection\r\n") {
			t.Errorf("%d octets were read: %q", conn.read, conn.out.String())
		}
	}
}

// TestLongSessionPoisoning is the line of that name (Postfix 2025-12, 2026-08-21):
// what went wrong with one message, in whatever stage, is not in the next one of
// the session.
func TestLongSessionPoisoning(t *testing.T) {
	const envelope, data = "MAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\n", "DATA\r\nSubject: x\r\n\r\n.\r\n"
	for _, at := range []pipeline.Stage{pipeline.Mail, pipeline.Rcpt, pipeline.Data} {
		s := newSite(nil)
		var ids []mail.ID
		s.plan.run = func(now pipeline.Stage, tx *pipeline.Transaction) []pipeline.Verdict {
			if now == pipeline.Mail {
				ids = append(ids, tx.ID)
			}
			if now != at || len(ids) > 1 {
				return nil
			}
			tx.Ledger.Fields = append(tx.Ledger.Fields, mail.Field{Name: "X-Half", Value: "done"})
			v := pipeline.Verdict{To: -1, Action: pipeline.Defer, Rule: "test"}
			if at == pipeline.Data {
				v.To = 0
			}
			v.Ledger.Fields, v.Ledger.Tags = []mail.Field{{Name: "X-Half", Value: "done"}}, []string{"half"}
			return []pipeline.Verdict{v}
		}
		first := envelope + "RSET\r\n"
		if at == pipeline.Data {
			first = envelope + data
		}
		said := talk(&s.cfg, []byte("EHLO x\r\n"+first+envelope+data))
		if !strings.Contains(said, "\r\n451 4.7.1") || strings.Count(said, "Queued as") != 1 || s.spool.count() != 1 {
			t.Errorf("%s: %q", at, said)
			continue
		}
		if text := s.spool.text(t, 0); strings.Contains(text, "X-Half") || len(s.spool.committed[0].Envelope.To[0].Tags) > 0 || len(s.spool.committed[0].Edits) > 0 {
			t.Errorf("%s: the second message has something of the first: %q", at, text)
		}
	}
}

// TestOddOctets is the line VRFY/UTF8, NUL, 8-bit (Postfix 2026-08-12, Haraka
// CVE-2026-34752): a NUL, each octet over 127 and __proto__ in each command and
// in names of fields are answered, and harm nobody.
func TestOddOctets(t *testing.T) {
	verbs := strings.Fields("HELO EHLO LHLO MAIL RCPT DATA BDAT RSET NOOP VRFY EXPN HELP QUIT STARTTLS AUTH ETRN XCLIENT PROXY GET")
	odd := []string{"\x00", "\x7f", "\x1b", "__proto__", "constructor", "\xc3\xa9"}
	for c := 0x80; c < 0x100; c++ {
		odd = append(odd, string([]byte{byte(c)}))
	}
	for _, verb := range verbs {
		for i, o := range odd {
			lines := []string{verb + " FROM:<" + o + "@b.test>", verb + o, o + verb, verb + " " + o, verb + " TO:<a@" + o + "> " + o + "=" + o}
			if i > 6 { // one octet over 127 is like another
				lines = lines[:1]
			}
			for _, line := range lines {
				s := newSite(func(c *Config) { c.Auth = true; c.XClient = []netip.Prefix{netip.MustParsePrefix("192.0.2.2/32")} })
				said := talk(&s.cfg, []byte("EHLO x\r\n"+line+"\r\n"))
				if len(s.panics) > 0 || strings.Count(said, "\r\n") < 10 {
					t.Fatalf("%q: panics %v, said %q", line, s.panics, said)
				}
				if o[0] < ' ' && !strings.Contains(said, "\r\n501 5.5.2") && !strings.Contains(said, "\r\n500 ") {
					t.Errorf("%q: said %q", line, said)
				}
			}
		}
	}
	for _, o := range odd {
		s := newSite(nil)
		said := talk(&s.cfg, []byte("EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n"+o+": x\r\nX"+o+": x\r\nFrom: "+o+"\r\n\r\n.\r\n"))
		if len(s.panics) > 0 || !strings.Contains(said, "\r\n250 2.0.0 Queued") && !strings.Contains(said, "\r\n554 5.6.0 The message has a NUL") {
			t.Errorf("%q as a field: panics %v, said %q", o, s.panics, said)
		}
	}
}

// TestInjectionByAddresses is the lines Command injection via addresses
// (OpenSMTPD CVE-2020-7247, Exim CVE-2019-10149) and, for what the edge hands on,
// Lookup injection (Exim CVE-2025-26794, maddy GHSA-5835-4gvc-32pc): whatever an
// address holds, it comes out as one address with the same octets or is refused.
func TestInjectionByAddresses(t *testing.T) {
	locals := []string{"`id`", "$(id)", "${run{/bin/sh}}", "|id", "a'--", "*/etc/passwd", "!x", "a%b@c", `"; id; "`, `"a b"`, `"a\"b"`, `"a>b"`, `"a,b"`,
		`"*)(uid=*"`, `"\\00"`, `"' OR 1=1"`, "a\\nb", "a\r", "a\nRCPT TO:<evil@any.example>", "a\x00b", `"a` + "\n" + `b"`}
	for _, l := range locals {
		s := newSite(nil)
		said := talk(&s.cfg, []byte("EHLO x\r\nMAIL FROM:<"+l+"@b.test>\r\nRSET\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<"+l+"@any.example>\r\nDATA\r\n\r\n.\r\n"))
		if len(s.panics) > 0 {
			t.Fatal(l, s.panics)
		}
		for _, sub := range s.spool.committed {
			for _, r := range sub.Envelope.To {
				want, err := mail.ParseAddress(l+"@any.example", false)
				if err != nil || r.Address != want || strings.ContainsAny(r.Address.Local, "\r\n\x00") {
					t.Errorf("%q became %q (%v)", l, r.Address, err)
				}
			}
			if len(sub.Envelope.To) != 1 {
				t.Errorf("%q: %d recipients", l, len(sub.Envelope.To))
			}
		}
		if strings.ContainsAny(l, "\r\n\x00") && s.spool.count() > 0 {
			t.Errorf("%q was taken: %q", l, said)
		}
	}
}

// TestDescriptorsRunOut is the line fd exhaustion (Stalwart): with a limit of
// descriptors that is reached, accepting backs off instead of spinning, and goes
// on when there are some again.
func TestDescriptorsRunOut(t *testing.T) {
	var log strings.Builder
	s := newSite(func(c *Config) { c.Log = textLog(&log) }).start(t)
	s.dial(t).hello()
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &old); err != nil {
		t.Fatal(err)
	}
	low := old
	low.Cur = 64
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &low); err != nil {
		t.Fatal(err)
	}
	restore := func() { syscall.Setrlimit(syscall.RLIMIT_NOFILE, &old) }
	defer restore()
	var held []int
	for len(held) < 100 {
		fd, err := syscall.Open("/dev/null", syscall.O_RDONLY, 0)
		if err != nil {
			break
		}
		held = append(held, fd)
	}
	if len(held) == 100 {
		t.Fatal("the limit does not hold")
	}
	free := func() {
		restore()
		for _, fd := range held {
			syscall.Close(fd)
		}
		held = nil
	}
	defer free()
	syscall.Close(held[len(held)-1]) // one is left: for us, not for the server
	held = held[:len(held)-1]
	c := s.dial(t)
	before := cpuTime()
	time.Sleep(500 * time.Millisecond)
	if used := cpuTime() - before; used > 250*time.Millisecond {
		t.Errorf("%v of CPU in half a second", used)
	}
	free()
	c.want("220")
	if n := strings.Count(log.String(), "accepting a connection failed"); n < 1 || n > 20 {
		t.Errorf("%d lines in the log: %s", n, log.String())
	}
}
