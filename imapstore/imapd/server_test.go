package imapd

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/forepost/forepost/imapstore"
)

func dialRaw(t testing.TB, h *house) *wireClient {
	t.Helper()
	c, err := net.Dial("tcp", h.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return &wireClient{c, bufio.NewReader(c)}
}

// want reads a line that begins so.
func (w *wireClient) want(t testing.TB, prefix string) {
	t.Helper()
	line, err := w.line()
	if err != nil || !strings.HasPrefix(line, prefix) {
		t.Fatalf("want %q, got %q, %v", prefix, line, err)
	}
}

func (w *wireClient) wantClosed(t testing.TB) {
	t.Helper()
	if line, err := w.line(); err == nil {
		t.Fatalf("still open: %q", line)
	}
}

// NO STARTTLS (2021): what follows STARTTLS in the clear is never run, and not
// answered under TLS.
func TestStartTLSDiscardsPlaintext(t *testing.T) {
	h := serve(t, func(c *Config) { c.TLS = testCert() })
	w := dialRaw(t, h)
	w.want(t, "* OK ")
	io.WriteString(w, "a STARTTLS\r\nx LOGIN bob@example.com secret\r\n")
	w.want(t, "a OK ")
	c := tls.Client(w.Conn, &tls.Config{InsecureSkipVerify: true})
	io.WriteString(c, "b SELECT INBOX\r\nc NOOP\r\n")
	s := &wireClient{c, bufio.NewReader(c)}
	s.want(t, "b BAD SELECT cannot be given in this state")
	s.want(t, "c OK")
	io.WriteString(c, "d STARTTLS\r\n")
	s.want(t, "d NO ")
}

func TestTooManySessions(t *testing.T) {
	for _, c := range []struct {
		why    string
		change func(*Config)
		bye    string
	}{
		{"all", func(c *Config) { c.MaxSessions = 1 }, "* BYE [UNAVAILABLE] Too many connections"},
		{"one client's", func(c *Config) { c.MaxPerClient = 1 }, "* BYE [UNAVAILABLE] Too many connections from your address"},
	} {
		h := serve(t, c.change)
		first := dialRaw(t, h)
		first.want(t, "* OK ")
		second := dialRaw(t, h)
		second.want(t, c.bye)
		second.wantClosed(t)
		io.WriteString(first, "a LOGOUT\r\n")
		first.want(t, "* BYE")
		first.want(t, "a OK")
		first.wantClosed(t)
	}
}

func TestSilenceEndsTheSession(t *testing.T) {
	h := serve(t, func(c *Config) { c.LoginWithin = 20 * time.Millisecond })
	w := dialRaw(t, h)
	w.want(t, "* OK ")
	w.want(t, "* BYE Autologout")
	w.wantClosed(t)

	h = serve(t, func(c *Config) { c.Autologout = 20 * time.Millisecond })
	w = dialRaw(t, h)
	w.silently(t, "L LOGIN "+testUser+" "+testPassword)
	io.WriteString(w, "a IDLE\r\n")
	w.want(t, "+ idling")
	w.want(t, "* BYE Autologout")
	w.wantClosed(t)
}

// A client that sends an octet now and then does not hold the door for ever.
func TestSlowClientBeforeLogin(t *testing.T) {
	h := serve(t, func(c *Config) { c.LoginWithin = 50 * time.Millisecond })
	w := dialRaw(t, h)
	w.want(t, "* OK ")
	go func() {
		for {
			if _, err := io.WriteString(w, "a"); err != nil {
				return
			}
			time.Sleep(time.Millisecond) // the client's pace, which the test is about
		}
	}()
	w.want(t, "* BYE Autologout")
}

func TestIdleKeepAlive(t *testing.T) {
	h := serve(t, func(c *Config) { c.KeepAlive = time.Millisecond })
	w := dialRaw(t, h)
	w.silently(t, "L LOGIN "+testUser+" "+testPassword)
	io.WriteString(w, "a IDLE\r\n")
	w.want(t, "+ idling")
	w.want(t, "* OK Still here")
	w.want(t, "* OK Still here")
}

func TestShutdownSaysBye(t *testing.T) {
	h := serve(t, nil)
	idle, quiet := dialRaw(t, h), dialRaw(t, h)
	idle.silently(t, "L LOGIN "+testUser+" "+testPassword)
	io.WriteString(idle, "a IDLE\r\n")
	idle.want(t, "+ idling")
	quiet.want(t, "* OK ")
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := h.srv.Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	for _, w := range []*wireClient{idle, quiet} {
		w.want(t, "* BYE The server is shutting down")
		w.wantClosed(t)
	}
	if _, err := net.Dial("tcp", h.addr); err == nil {
		t.Error("connections are still taken")
	}
}

// panicky is a store with a bug.
type panicky struct{ imapstore.Store }

func (panicky) Account(string) (imapstore.Account, error) { panic("a bug") }

func TestPanicEndsOneSession(t *testing.T) {
	panics := metricPanicsValue(t)
	h := serve(t, func(c *Config) { c.Store = panicky{c.Store} })
	other, w := dialRaw(t, h), dialRaw(t, h)
	other.want(t, "* OK ")
	w.want(t, "* OK ")
	io.WriteString(w, "a LOGIN bob@example.com secret\r\n")
	w.wantClosed(t)
	io.WriteString(other, "a NOOP\r\n")
	other.want(t, "a OK")
	if metricPanicsValue(t) == panics {
		t.Error("the panic was not counted")
	}
	if log := h.log.String(); !strings.Contains(log, "panic in a session") || !strings.Contains(log, "server_test.go") {
		t.Errorf("the log has no stack: %s", log)
	}
}

// Passwords never reach the log; the session's ID stands in every line.
func TestLogLines(t *testing.T) {
	h := serve(t, nil)
	w := dialRaw(t, h)
	w.silently(t, "x LOGIN bob@example.com wr0ng\r\nL LOGIN "+testUser+" "+testPassword)
	io.WriteString(w, "a ID (\"name\" \"evil client\")\r\n")
	w.want(t, "* ID")
	w.want(t, "a OK")
	log := h.log.String()
	if strings.Contains(log, testPassword) || strings.Contains(log, "wr0ng") {
		t.Error("a password stands in the log:", log)
	}
	for _, line := range strings.Split(strings.TrimSpace(log), "\n") {
		if !strings.Contains(line, " id=") {
			t.Error("no ID:", line)
		}
	}
}

func TestEarlyDisconnects(t *testing.T) {
	h := serve(t, nil)
	for _, sent := range []string{"", "a", "a LOGIN", "a LOGIN {5}\r\n", "a LOGIN {5+}\r\nbo",
		"a LOGIN bob@example.com secret\r\nb IDLE\r\n", "a LOGIN bob@example.com secret\r\nb APPEND INBOX {300000+}\r\nabc"} {
		c, err := net.Dial("tcp", h.addr)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(c, sent)
		c.(*net.TCPConn).CloseWrite()
		c.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.Copy(io.Discard, c); err != nil {
			t.Errorf("%q: the session stays: %v", sent, err)
		}
		c.Close()
	}
	if n := len(h.inbox(t).Snapshot().Messages); n != 0 {
		t.Errorf("%d messages out of an APPEND cut short", n)
	}
}

// A line without end is cut off in time, with bounded memory, and says so.
func TestGiantLine(t *testing.T) {
	h := serve(t, nil)
	w := dialRaw(t, h)
	w.want(t, "* OK ")
	go func() {
		chunk := []byte(strings.Repeat("a", 64<<10))
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}()
	if line, err := w.line(); err == nil && !strings.HasPrefix(line, "* BYE [TOOBIG]") {
		t.Error(line)
	}
}

func TestConfigIsChecked(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("an empty Config was taken")
	}
	h := serve(t, nil)
	c := h.srv.cfg
	c.Implicit = true
	if _, err := New(c); err == nil {
		t.Error("implicit TLS without a certificate was taken")
	}
}

// A keyword that is no atom (a policy's tag, say) cannot break the response that
// it would stand in.
func TestOddKeywords(t *testing.T) {
	h := serve(t, nil)
	h.put(t, message(t, "simple"), "fine", "a) b", "x\r\n* BYE", `\Seen`)
	w := dialRaw(t, h)
	w.silently(t, "L LOGIN "+testUser+" "+testPassword)
	w.silently(t, "L SELECT INBOX")
	io.WriteString(w, "a FETCH 1 FLAGS\r\n")
	w.want(t, `* 1 FETCH (FLAGS (\Seen fine \Recent))`)
	w.want(t, "a OK")
}
