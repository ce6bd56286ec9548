package pop3pickup

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestAutologout is RFC 1939 section 3: after ten minutes without a command the
// session ends, nothing is deleted and the maildrop is free.
func TestAutologout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, a := buildMem(t, Config{})
		c := h.login()
		c.send("DELE 1")
		c.expect("+OK...")
		time.Sleep(9*time.Minute + 59*time.Second)
		c.send("NOOP")
		c.expect("+OK...")
		begin := time.Now()
		c.expect("-ERR [SYS/TEMP] Idle for too long; nothing was deleted")
		c.expectEnd()
		if d := time.Since(begin); d != 10*time.Minute {
			t.Errorf("ended after %v", d)
		}
		h.s.work.Wait()
		if a.m.expunged > 0 || a.locked.Load() {
			t.Errorf("%d messages were expunged, locked %v", a.m.expunged, a.locked.Load())
		}
	})
}

// TestWrongPasswordsAreSlow is that guessing costs time, more each time.
func TestWrongPasswordsAreSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := buildMem(t, Config{AuthDelay: 2 * time.Second})
		c := h.dial(local)
		c.expect("+OK...")
		for i := 1; i <= maxFailures; i++ {
			begin := time.Now()
			c.send("AUTH PLAIN AGEAYg==")
			c.expect("-ERR [AUTH]...")
			if d := time.Since(begin); d != time.Duration(i)*2*time.Second {
				t.Errorf("failure %d took %v", i, d)
			}
		}
		c.expectEnd()
	})
}

// TestLoginDelay is the least time between two logins, and that it ends.
func TestLoginDelay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := buildMem(t, Config{LoginDelay: time.Minute})
		c := h.login()
		c.send("QUIT")
		c.expect("+OK...")
		h.s.work.Wait()
		time.Sleep(59 * time.Second)
		c = h.dial(local)
		c.expect("+OK...")
		c.send("USER bob@example.com")
		c.expect("+OK...")
		c.send("PASS se sam")
		c.expect("-ERR [LOGIN-DELAY]...")
		time.Sleep(time.Second)
		h.login()
	})
}

// TestShutdown ends idle sessions with a word, and waits for them.
func TestShutdown(t *testing.T) {
	h := build(t, Config{})
	h.put("one\n")
	c := h.login()
	c.send("DELE 1")
	c.expect("+OK...")
	said := make(chan string)
	go func() {
		line, _ := c.r.ReadString('\n')
		said <- line
	}()
	if err := h.s.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	if line := <-said; !strings.HasPrefix(line, "-ERR [SYS/TEMP] The server is shutting down") {
		t.Errorf("the session ended with %q", line)
	}
	if got := h.left(); got != "one" {
		t.Errorf("left is %q", got)
	}
	late := h.dial(local)
	late.expect("-ERR [SYS/TEMP]...")
}

// TestGiantLine sends octets without an end: the session ends after little, with
// little memory.
func TestGiantLine(t *testing.T) {
	h := build(t, Config{})
	c := h.dial(local)
	c.expect("+OK...")
	go func() {
		for {
			if _, err := c.conn.Write([]byte(strings.Repeat("x", 4096))); err != nil {
				return
			}
		}
	}()
	c.expect("-ERR The line is too long")
	c.expectEnd()
}

// TestLongLine is one of 256 octets, and the next command after it.
func TestLongLine(t *testing.T) {
	h := build(t, Config{})
	c := h.dial(local)
	c.expect("+OK...")
	c.send("USER " + strings.Repeat("x", 255-len("USER \r\n")))
	c.expect("+OK send PASS")
	c.send("USER " + strings.Repeat("x", 256-len("USER \r\n")))
	c.expect("-ERR The line is too long")
	c.send("QUIT")
	c.expect("+OK bye")
}

// TestVanished is a message that IMAP expunges while a POP3 session has it in
// its list.
func TestVanished(t *testing.T) {
	h := build(t, Config{})
	h.put("one\n", "two\n")
	c := h.login()
	if err := h.inbox().Expunge(context.Background(), uids(h)[:1]); err != nil {
		t.Fatal(err)
	}
	c.send("RETR 1")
	c.expect("-ERR [SYS/TEMP] Another session has deleted the message")
	c.send("DELE 1")
	c.expect("+OK...")
	c.send("RETR 2")
	c.expect("+OK 5 octets")
	c.expect("two")
	c.expect(".")
	c.send("QUIT")
	c.expect("+OK bye...")
	h.s.work.Wait()
	if got := h.left(); got != "two" {
		t.Errorf("left is %q", got)
	}
}

// TestMarkSeen has a fetched message \Seen after QUIT, one that was looked at
// with TOP not.
func TestMarkSeen(t *testing.T) {
	h := build(t, Config{MarkSeen: true})
	h.put("A: 1\n\nbody\n", "A: 2\n\nbody\n", "A: 3\n\nbody\n")
	c := h.login()
	c.raw("RETR 1\r\nTOP 2 0\r\nTOP 3 99999999\r\nNOOP\r\nQUIT\r\n")
	for {
		line, err := c.r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(line, "+OK bye") {
			break
		}
	}
	h.s.work.Wait()
	var seen []bool
	for _, e := range h.inbox().Snapshot().Messages {
		seen = append(seen, e.Has(`\Seen`))
	}
	if !seen[0] || seen[1] || !seen[2] {
		t.Errorf("seen are %v, want the first and the third", seen)
	}
}
