package inbound

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pausing is a client in memory that can wait.
type pausing struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	c    *conn
	over chan struct{}
}

func (s *site) pausing(t *testing.T) *pausing {
	srv, err := New(s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.srv = srv
	client, server := net.Pipe()
	p := &pausing{t: t, conn: client, in: bufio.NewReader(client), over: make(chan struct{})}
	p.c = newConn(srv, server, clientOf(server))
	go func() {
		defer close(p.over)
		p.c.run()
	}()
	p.hear("220")
	return p
}

func (p *pausing) say(line, want string) {
	p.t.Helper()
	io.WriteString(p.conn, line+"\r\n")
	p.hear(want)
}

func (p *pausing) hear(want string) {
	p.t.Helper()
	for {
		line, err := p.in.ReadString('\n')
		if err != nil || len(line) < 4 || !strings.HasPrefix(line, want) {
			p.t.Fatalf("heard %q, %v, want %s", line, err, want)
		}
		if line[3] == ' ' {
			return
		}
	}
}

// asleep waits longer than it takes go-smtp to go, and tells whether it went.
func (p *pausing) asleep() bool {
	time.Sleep(restAfter + time.Second)
	synctest.Wait()
	return p.c.wire.asleep
}

// TestRest: go-smtp is there where there is something for it to do: not before a
// client's first command, not between messages, but within one and within AUTH;
// what was said before holds when it comes again.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(func(c *Config) { c.Auth, c.Idle = true, time.Minute })
		s.cfg.AllowCleartext = true
		p := s.pausing(t)
		defer p.conn.Close()
		for i, step := range []struct {
			say, want string
			asleep    bool
		}{
			{"MAIL FROM:<a@b.test>", "503 5.5.1 Say EHLO", true},
			{"EHLO x", "250", true},
			{"AUTH PLAIN", "334", false},
			{"AGRlbW8Ac2VjcmV0", "235", true},
			{"AUTH PLAIN AGRlbW8Ac2VjcmV0", "503 5.5.1 AUTH was done", true},
			{"MAIL FROM:<demo@example.com>", "250", false},
			{"RCPT TO:<bob@example.com>", "250", false},
			{"DATA", "354", false},
			{"A: b\r\n\r\n.", "250 2.0.0 Queued as", true},
			{"NOOP", "250 2.0.0 OK", true},
			{"RCPT TO:<bob@example.com>", "503 5.5.1 Say MAIL", true},
			{"MAIL FROM:<a@b.test>\r\nRSET", "250", true},
		} {
			if i == 0 && !p.asleep() {
				t.Error("go-smtp is there before a command is")
			}
			p.say(step.say, step.want)
			if strings.HasSuffix(step.say, "RSET") {
				p.hear("250")
			}
			if got := p.asleep(); got != step.asleep {
				t.Errorf("behind %q go-smtp is gone: %v, want %v", step.say, got, step.asleep)
			}
		}
		if s.spool.count() != 1 || s.trail.all()[1].Auth != "demo" {
			t.Errorf("%d messages, %+v", s.spool.count(), s.trail.all())
		}
		p.say("QUIT", "221")
		<-p.over
	})
}

// TestRestEnds: a client that is quiet for too long, or says a line too slowly,
// hears it at its time, and one whom the server wants to go at once.
func TestRestEnds(t *testing.T) {
	for _, how := range []string{"quiet", "a letter at once", "a letter late", "draining"} {
		synctest.Test(t, func(t *testing.T) {
			p := newSite(func(c *Config) { c.Idle = time.Minute }).pausing(t)
			p.say("EHLO x", "250")
			begin := time.Now()
			want, after := "421 4.4.2", time.Minute
			switch how {
			case "a letter at once":
				time.Sleep(time.Second)
				io.WriteString(p.conn, "N")
			case "a letter late":
				time.Sleep(30 * time.Second)
				io.WriteString(p.conn, "N")
			case "draining":
				p.asleep()
				p.c.wire.drain()
				want, after = "421 4.3.2", restAfter+time.Second
			}
			p.hear(want)
			if d := time.Since(begin); d != after {
				t.Errorf("%s: %s came after %v, want %v", how, want, d, after)
			}
			<-p.over
		})
	}
}

// TestRestRestarts: what begins anew begins anew, whether go-smtp was there or not.
func TestRestRestarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(siteWords["xclient"])
		s.cfg.Idle = time.Minute
		p := s.pausing(t)
		defer func() { <-p.over }()
		defer p.conn.Close()
		p.c.client = netOf("127.0.0.1/32").Addr()
		for _, asleep := range []bool{true, false} {
			p.say("EHLO x", "250")
			if asleep && !p.asleep() {
				t.Error("go-smtp is there")
			}
			p.say("XCLIENT ADDR=192.0.2.9", "220")
			p.say("MAIL FROM:<a@b.test>", "503 5.5.1 Say EHLO")
		}
	})
}

// TestRestUnderTLS: the same under TLS, with a go-smtp that goes before every line:
// what is read in vain does it no harm.
func TestRestUnderTLS(t *testing.T) {
	s := newSite(func(c *Config) { c.TLS, c.Auth, c.restAfter = testTLS(t), true, time.Microsecond }).start(t)
	c := s.dial(t).hello()
	c.say("STARTTLS", "220 2.0.0")
	c.startTLS()
	c.say("MAIL FROM:<a@b.test>", "503 5.5.1 Say EHLO")
	for range 3 {
		c.say("EHLO client.test", "250-mx.example.com")
		c.say("NOOP", "250 2.0.0")
		c.say("MAIL FROM:<a@b.test>", "250 2.1.0")
		c.say("RCPT TO:<bob@example.com>", "250 2.1.5")
		c.say("DATA", "354")
		c.say("Subject: x\r\n\r\n"+strings.Repeat("line\r\n", 10000)+".", "250 2.0.0 Queued as")
		c.say("RSET", "250 2.0.0")
	}
	c.say("QUIT", "221")
	if n := s.spool.count(); n != 3 || !strings.Contains(s.trail.all()[2].Client.TLS, "TLS 1.3") {
		t.Errorf("%d messages, %q", n, s.trail.all()[2].Client.TLS)
	}
}
