package inbound

import (
	"bytes"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// scripted is a connection in memory on which a client says what it says, in
// pieces, and goes.
type scripted struct {
	in    []byte
	piece int
	out   bytes.Buffer

	naps, nap bool // it is quiet for so long before each command that go-smtp goes
}

func (s *scripted) Read(p []byte) (int, error) {
	if s.nap {
		s.nap = false
		return 0, os.ErrDeadlineExceeded
	}
	if len(s.in) == 0 {
		return 0, io.EOF
	}
	in := s.in
	if i := bytes.IndexByte(in, '\n'); s.naps && i >= 0 {
		in = in[:i+1]
	}
	n := copy(p[:min(len(p), s.piece)], in)
	s.in = s.in[n:]
	return n, nil
}

func (s *scripted) Write(p []byte) (int, error)      { return s.out.Write(p) }
func (s *scripted) Close() error                     { return nil }
func (s *scripted) LocalAddr() net.Addr              { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25} }
func (s *scripted) RemoteAddr() net.Addr             { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 1} }
func (s *scripted) SetDeadline(time.Time) error      { return nil }
func (s *scripted) SetWriteDeadline(time.Time) error { return nil }

func (s *scripted) SetReadDeadline(t time.Time) error {
	s.nap = s.naps && time.Until(t) <= restAfter
	return nil
}

// talk runs one session over a script and returns what the server said.
func talk(cfg *Config, in []byte) string { return talkIn(cfg, in, 4096) }

func talkIn(cfg *Config, in []byte, piece int) string {
	return talkTo(cfg, &scripted{in: in, piece: piece})
}

func talkTo(cfg *Config, conn *scripted) string {
	conn.out.Grow(len(conn.in) / 32)
	srv, err := New(*cfg)
	if err != nil {
		panic(err)
	}
	srv.running.Add(1)
	c := newConn(srv, conn, clientOf(conn))
	c.run()
	return conn.out.String()
}

// FuzzDialogue: whatever a client says, in whatever pieces, every line of the
// answer is a reply with CRLF, nothing panics, no draft stays open, nobody
// relays, and no stray CR, LF or NUL goes on. It hears the same where it naps.
func FuzzDialogue(f *testing.F) {
	f.Add([]byte("EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\nA: b\r\n\r\n.\r\nQUIT\r\n"), 7)
	f.Add([]byte("EHLO x\r\nAUTH PLAIN\r\nAGRlbW8Ac2VjcmV0\r\nMAIL FROM:<>\r\nRCPT TO:<x@y.test>\r\nBDAT 3\r\nabc"), 1)
	f.Add([]byte("EHLO x\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<bob@example.com>\r\nBDAT 7\r\nA: b\r\n\rNOOP\r\nDATA\r\nBDAT 3 LAST\r\n\n.\nMAIL FROM:<>\r\nRCPT TO:<bob@example.com>\r\nBDAT 2\r\n\r\nRSET\r\nBDAT 4\r\nQUITQUIT\r\n"), 5)
	for _, dir := range []string{"chasquid-smtpsrv", "profuzzbench-smtp"} {
		files, _ := filepath.Glob(filepath.Join(os.Getenv("FOREPOST_SUITES"), "fuzz-seeds", dir, "*"))
		for _, file := range files {
			if b, err := os.ReadFile(file); err == nil {
				f.Add(b, 11)
			}
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, piece int) {
		s := newSite(func(c *Config) { c.MaxSize = 1000 })
		said := talkIn(&s.cfg, in, max(1, min(piece, 4096)))
		napping := newSite(func(c *Config) { c.MaxSize = 1000 })
		if heard := talkTo(&napping.cfg, &scripted{in: in, piece: max(1, min(piece, 4096)), naps: true}); heard != said {
			t.Fatalf("with naps it hears %q, without %q", heard, said)
		}
		for _, line := range strings.SplitAfter(said, "\r\n") {
			if line != "" && (len(line) < 6 || line[0] < '2' || line[0] > '5' || strings.ContainsAny(strings.TrimSuffix(line, "\r\n"), "\r\n\x00") || !enhanced(line)) {
				t.Fatalf("a bad line %q in %q", line, said)
			}
		}
		if len(s.panics) > 0 || s.spool.drafts != 0 {
			t.Fatalf("panics %v, drafts %d", s.panics, s.spool.drafts)
		}
		for i, sub := range s.spool.committed {
			for _, r := range sub.Envelope.To {
				if d := r.Address.Domain; d != "example.com" && d != "any.example" {
					t.Fatalf("relayed to %s", r.Address)
				}
			}
			if strings.ContainsAny(strings.ReplaceAll(s.spool.text(t, i), "\r\n", ""), "\r\n\x00") {
				t.Fatalf("stray octets in %q", s.spool.text(t, i))
			}
		}
	})
}
