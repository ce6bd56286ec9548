package inbound

import (
	"crypto/tls"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/pipeline"
)

// TestSTARTTLSInjection: what was sent behind STARTTLS in the clear is thrown
// away, and what was said before is forgotten.
func TestSTARTTLSInjection(t *testing.T) {
	s := newSite(func(c *Config) { c.TLS, c.Auth = testTLS(t), true }).start(t)
	c := s.dial(t).hello()
	c.say("MAIL FROM:<evil@b.test>", "250")
	c.say("STARTTLS\r\nRSET\r\nEHLO evil\r\nNOOP", "220")
	c.startTLS()
	c.send("NOOP\r\n")
	c.want("250 2.0.0 OK") // the only reply
	c.say("MAIL FROM:<a@b.test>", "503 5.5.1 Say EHLO")
	if got := c.say("EHLO c", "250-mx"); strings.Contains(got, "STARTTLS") || !strings.Contains(got, "AUTH PLAIN LOGIN") {
		t.Errorf("EHLO under TLS: %q", got)
	}
	c.say("STARTTLS", "503")
	c.say("MAIL FROM:<a@b.test>", "250")
	c.say("RCPT TO:<bob@example.com>", "250")
	c.say("DATA", "354")
	c.say("From: a@b.test\r\n\r\n.", "250")
	if text := s.spool.text(t, 0); !strings.Contains(text, "with ESMTPS id") || !strings.Contains(text, "(version=TLS1.3 cipher=TLS_") {
		t.Errorf("Received: %s", text)
	}
}

// TestAuthNeedsTLS: without TLS no AUTH from elsewhere than this machine.
func TestAuthNeedsTLS(t *testing.T) {
	s := newSite(func(c *Config) { c.Auth = true })
	said := talk(&s.cfg, []byte("EHLO x\r\nAUTH PLAIN AGRlbW8Ac2VjcmV0\r\n"))
	if strings.Contains(said, "AUTH PLAIN LOGIN") || !strings.Contains(said, "538 5.7.11") {
		t.Error(said)
	}
}

// TestGiantLine: a line without end is given up on, in flat memory.
func TestGiantLine(t *testing.T) {
	s := newSite(nil)
	said := talk(&s.cfg, []byte("EHLO "+strings.Repeat("x", 3000)+"\r\nNOOP\r\n"+strings.Repeat("y", 1<<20)))
	if !strings.Contains(said, "500 5.5.2 Line too long\r\n250 2.0.0 OK\r\n421 4.7.0 Line too long") {
		t.Errorf("%.300q", said)
	}
}

// TestManyRecipients: a hundred thousand recipients, one reply each, bounded.
func TestManyRecipients(t *testing.T) {
	s := newSite(func(c *Config) { c.MaxRecipients = 100 })
	var in strings.Builder
	in.WriteString("EHLO x\r\nMAIL FROM:<a@b.test>\r\n")
	for i := range 100000 {
		fmt.Fprintf(&in, "RCPT TO:<u%d@any.example>\r\n", i)
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	said := talk(&s.cfg, []byte(in.String()))
	runtime.GC()
	runtime.ReadMemStats(&after)
	if n := strings.Count(said, "\r\n250 2.1.5"); n != 100 {
		t.Errorf("%d were taken", n)
	}
	if n := strings.Count(said, "\r\n452 4.5.3"); n != 100000-100 {
		t.Errorf("%d were deferred", n)
	}
	if rec := s.trail.all(); len(rec) != 1 || len(rec[0].Outcomes) > maxRefused+1 {
		t.Errorf("%d records", len(rec))
	}
}

// TestDisconnects cuts a session off at every octet: no draft stays open, no
// message is queued before its end, and nothing panics.
func TestDisconnects(t *testing.T) {
	script := "EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\nA: b\r\n\r\nx\r\n.\r\n"
	for n := range len(script) {
		s := newSite(nil)
		talk(&s.cfg, []byte(script[:n]))
		if s.spool.count() != 0 || s.spool.drafts != 0 || len(s.panics) > 0 {
			t.Errorf("cut at %d: %d queued, %d drafts, panics %v", n, s.spool.count(), s.spool.drafts, s.panics)
		}
	}
}

// TestDataTimeout: when the data stop the connection ends, and their rest is
// never taken for commands (C3).
func TestDataTimeout(t *testing.T) {
	s := newSite(func(c *Config) { c.DataTime = 50 * time.Millisecond }).start(t)
	c := s.dial(t).hello()
	c.say("MAIL FROM:<a@b.test>", "250")
	c.say("RCPT TO:<bob@example.com>", "250")
	c.say("DATA", "354")
	c.send("From: a@b.test\r\n")
	c.want("421 4.4.2")
	c.send("NOOP\r\n")
	if l := c.line(); l != "EOF" {
		t.Errorf("said %q after the end", l)
	}
	if recs := s.trail.all(); len(recs) != 1 || recs[0].Outcomes[0].Rule != "builtin.timeout" {
		t.Errorf("%+v", recs)
	}
}

// TestSizeLimit: the limit itself is taken, one octet more is not (C11).
func TestSizeLimit(t *testing.T) {
	for over, want := range map[int]string{0: "250 2.0.0 Queued as", 1: "552 5.3.4 The message is larger"} {
		s := newSite(func(c *Config) { c.MaxSize = 1000 })
		body := "A: b\r\n\r\n" + strings.Repeat("x", 1000-10+over) + "\r\n"
		said := talk(&s.cfg, []byte("EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n"+body+".\r\nNOOP\r\n"))
		if len(body) != 1000+over || !strings.Contains(said, want) || !strings.Contains(said, "250 2.0.0 OK") {
			t.Errorf("%d octets: %q", len(body), said)
		}
	}
}

// TestOversize: far beyond the limit the rest is not swallowed (C11).
func TestOversize(t *testing.T) {
	s := newSite(func(c *Config) { c.MaxSize = 1000 })
	in := "EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n" + strings.Repeat("0123456789abcde\r\n", 1<<18)
	conn := &scripted{in: []byte(in), piece: 4096}
	srv, _ := New(s.cfg)
	newConn(srv, conn, clientOf(conn)).run()
	if !strings.Contains(conn.out.String(), "552 5.3.4") || len(conn.in) < 1<<20 {
		t.Errorf("%d octets were left of %d: %q", len(conn.in), len(in), conn.out.String())
	}
}

// TestIdle: a client that is silent, or dribbles, is told to go.
func TestIdle(t *testing.T) {
	s := newSite(func(c *Config) { c.Idle = 100 * time.Millisecond }).start(t)
	c := s.dial(t)
	c.want("220")
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
				io.WriteString(c.conn, "N")
			}
		}
	}()
	c.want("421 4.4.2")
}

// TestNothings: commands that lead nowhere are counted (C16).
func TestNothings(t *testing.T) {
	s := newSite(nil)
	said := talk(&s.cfg, []byte("EHLO x\r\n"+strings.Repeat("NOOP\r\n", 1000)))
	if n := strings.Count(said, "250 2.0.0 OK"); n != maxIdle-1 || !strings.HasSuffix(said, "421 4.7.0 Too many commands without a message\r\n") {
		t.Errorf("%d were answered: %q", n, said[len(said)-100:])
	}
}

// TestPipelining: a group of commands is answered in one write.
func TestPipelining(t *testing.T) {
	s := newSite(nil)
	conn := &counting{scripted: scripted{in: []byte("EHLO x\r\nMAIL FROM:<a@b.test>\r\n" + strings.Repeat("RCPT TO:<u@any.example>\r\n", 50) + "QUIT\r\n"), piece: 4096}}
	srv, _ := New(s.cfg)
	newConn(srv, conn, clientOf(conn)).run()
	if n := strings.Count(conn.out.String(), "\r\n250 2.1.5"); n != 50 || conn.writes > 2 {
		t.Errorf("%d replies in %d writes", n, conn.writes)
	}
}

type counting struct {
	scripted
	writes int
}

func (c *counting) Write(p []byte) (int, error) { c.writes++; return c.scripted.Write(p) }

// TestPanics: a panic in policy or spool ends its session with 421, is counted,
// and the next one is served.
func TestPanics(t *testing.T) {
	for _, at := range []pipeline.Stage{pipeline.Connect, pipeline.Helo, pipeline.Mail, pipeline.Rcpt, pipeline.Data} {
		s := newSite(nil)
		s.plan.run = func(now pipeline.Stage, _ *pipeline.Transaction) []pipeline.Verdict {
			if now == at {
				panic("a defect at " + at.String())
			}
			return nil
		}
		said := talk(&s.cfg, []byte("EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n\r\n.\r\nNOOP\r\n"))
		if len(s.panics) != 1 || s.spool.drafts != 0 || strings.Contains(said, "250 2.0.0 OK") {
			t.Errorf("%s: panics %v, drafts %d, said %q", at, s.panics, s.spool.drafts, said)
		}
		if !strings.Contains(said, "421 4.3.0") {
			t.Errorf("%s: said %q", at, said)
		}
	}
}

// TestSpoolErrors: a full disk is 452, another failure 451, and neither is 250.
func TestSpoolErrors(t *testing.T) {
	for err, want := range map[error]string{journal.ErrFull: "452 4.3.1", journal.ErrBroken: "451 4.3.0"} {
		s := newSite(nil)
		s.spool.fail = fmt.Errorf("commit: %w", err)
		said := talk(&s.cfg, []byte("EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n\r\n.\r\n"))
		if !strings.Contains(said, "\r\n"+want) || strings.Contains(said, "Queued") || s.spool.drafts != 0 {
			t.Errorf("%v: %q", err, said)
		}
	}
}

// testTLS is a configuration with a certificate of its own.
func testTLS(t testing.TB) *tls.Config {
	t.Helper()
	return &tls.Config{Certificates: []tls.Certificate{testCertificate(t)}, MinVersion: tls.VersionTLS12}
}

// testserver is the directory of chasquid's dialogues.
type testserver struct{ fakeDirectory }

var _ Directory = testserver{}
