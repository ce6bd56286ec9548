package inbound

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

const opening = "EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\n"

// TestTinyChunks is the line BDAT of threats (Exim 2020 and 2026, Postfix
// 2026-08-05): a million chunks of one octet are one message, in flat memory.
func TestTinyChunks(t *testing.T) {
	const n = 1_000_000
	body := strings.Repeat("0123456789abcd\r\n", n/16)
	var in strings.Builder
	in.WriteString(opening)
	for i := range n {
		in.WriteString("BDAT 1\r\n" + body[i:i+1])
	}
	in.WriteString("BDAT 0 LAST\r\nNOOP\r\n")
	s := newSite(func(c *Config) { c.Spool = &nullSpool{} })
	conn := &scripted{in: []byte(in.String()), piece: 64 << 10}
	conn.out.Grow(64 << 20)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	srv, err := New(s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	srv.running.Add(1)
	newConn(srv, conn, clientOf(conn)).run()
	said := conn.out.String()
	runtime.GC()
	runtime.ReadMemStats(&after)
	if got := strings.Count(said, "\r\n250 2.0.0 1 octets received"); got != n {
		t.Errorf("%d chunks were taken", got)
	}
	if !strings.Contains(said[len(said)-80:], "250 2.0.0 Queued as") || !strings.HasSuffix(said, "250 2.0.0 OK\r\n") {
		t.Errorf("it ended in %q", said[len(said)-80:])
	}
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("%d octets stayed in memory", grown)
	}
	if recs := s.trail.all(); len(recs) != 1 || recs[0].Size != n {
		t.Errorf("%+v", recs)
	}
}

// TestEmptyChunks: chunks of nothing lead nowhere, and are counted like NOOP.
func TestEmptyChunks(t *testing.T) {
	s := newSite(nil)
	said := talk(&s.cfg, []byte(opening+strings.Repeat("BDAT 0\r\n", 1_000_000)))
	if n := strings.Count(said, " 0 octets received"); n > maxIdle || !strings.Contains(said, "\r\n421 4.7.0 Too many commands without a message") {
		t.Errorf("%d were taken: %q", n, said[max(0, len(said)-200):])
	}
	if strings.Count(said, "\r\n421 ") != 1 || s.spool.count() != 0 || s.spool.drafts != 0 {
		t.Errorf("%d queued, %d drafts: %q", s.spool.count(), s.spool.drafts, said[max(0, len(said)-200):])
	}
}

// TestChunksCut cuts a message in chunks off at every octet, so that LAST is
// missing: no draft stays open and no message is queued.
func TestChunksCut(t *testing.T) {
	script := opening + "BDAT 8\r\nA: b\r\n\r\nNOOP\r\nBDAT 3 LAST\r\nx\r\n"
	for n := range len(script) {
		s := newSite(nil)
		talk(&s.cfg, []byte(script[:n]))
		if s.spool.count() != 0 || s.spool.drafts != 0 || len(s.panics) > 0 {
			t.Errorf("cut at %d: %d queued, %d drafts, panics %v", n, s.spool.count(), s.spool.drafts, s.panics)
		}
	}
}

// TestChunkOversize: what follows a chunk that is too large is never a command,
// up to the size at which the connection ends, and not all of that is read.
func TestChunkOversize(t *testing.T) {
	for _, size := range []int{1001, 1 << 20, 1 << 23} {
		s := newSite(func(c *Config) { c.MaxSize = 1000 })
		in := opening + fmt.Sprintf("BDAT %d LAST\r\n", size) + strings.Repeat("RSET\r\n", size/6) + strings.Repeat("x", size%6) + "NOOP\r\n"
		conn := &scripted{in: []byte(in), piece: 4096}
		srv, err := New(s.cfg)
		if err != nil {
			t.Fatal(err)
		}
		srv.running.Add(1)
		newConn(srv, conn, clientOf(conn)).run()
		said := conn.out.String()
		if strings.Contains(said, "Reset") || !strings.Contains(said, "\r\n552 5.3.4") || s.spool.drafts != 0 {
			t.Errorf("%d octets: %q", size, said)
		}
		if closed := !strings.HasSuffix(said, "250 2.0.0 OK\r\n"); closed != (size == 1<<23) || closed && len(conn.in) < 1<<22 {
			t.Errorf("%d octets, %d not read: %q", size, len(conn.in), said)
		}
		if recs := s.trail.all(); len(recs) != 1 || recs[0].Outcomes[0].Rule != "builtin.size" {
			t.Errorf("%d octets: %+v", size, recs)
		}
	}
}

// TestChunkTimeout: a client that stops within a chunk, or between two, hears one
// 421.
func TestChunkTimeout(t *testing.T) {
	for _, rest := range []string{"BDAT 8\r\nA: b", "BDAT 8\r\nA: b\r\n\r\n", "BDAT 8\r\nA: b\r\n\r\nNOO"} {
		s := newSite(func(c *Config) { c.DataTime, c.Idle = 100*time.Millisecond, 1500*time.Millisecond }).start(t)
		c := s.dial(t).hello()
		c.say("MAIL FROM:<a@b.test>", "250")
		c.say("RCPT TO:<bob@example.com>", "250")
		c.send(rest)
		l := c.reply()
		if strings.HasPrefix(l, "250 2.0.0 8 octets") {
			l = c.reply()
		}
		if !strings.HasPrefix(l, "421 4.4.2") || c.line() != "EOF" {
			t.Errorf("%q: heard %q", rest, l)
		}
	}
}

// TestChunksSpoolError: a message in chunks that cannot be kept is 451, and the next
// chunk belongs to nothing.
func TestChunksSpoolError(t *testing.T) {
	s := newSite(nil)
	s.spool.fail = fmt.Errorf("no disk")
	said := talk(&s.cfg, []byte(opening+"BDAT 2\r\n\r\nBDAT 0 LAST\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n"))
	if !strings.Contains(said, "\r\n451 4.3.0") || !strings.Contains(said, "\r\n503 5.5.1 No recipient") || !strings.HasSuffix(said, "250 2.0.0 OK\r\n") {
		t.Error(said)
	}
}
