package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A stop, as for an upgrade: who is in the middle of a message ends it, hears 250 and then
// 421; who only waits hears 421 at once; nobody new gets in; and what was taken is there
// when the gateway is back.
func TestStopDrainsSessions(t *testing.T) {
	g := serveClients(t)
	addr := g.address("smtp", "edge")
	open := func(lines ...string) *mailLine {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		c.SetDeadline(time.Now().Add(30 * time.Second))
		l := &mailLine{t, c, bufio.NewReader(c)}
		l.line()
		for _, s := range lines {
			for fmt.Fprint(c, s+"\r\n"); ; {
				if reply := l.line(); reply[3] != '-' {
					break
				}
			}
		}
		return l
	}
	idle := open("EHLO c.test")
	busy := open("EHLO c.test", "MAIL FROM:<a@c.test>", "RCPT TO:<bob@local.test>", "DATA")
	fmt.Fprint(busy.c, "Subject: in the middle\r\n\r\nhalf of it\r\n")
	if err := g.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if got := idle.line(); !strings.HasPrefix(got, "421 4.3.2") {
		t.Errorf("who waits hears %q", got)
	}
	if c, err := net.Dial("tcp", addr); err == nil {
		c.Close()
		t.Error("somebody new got in")
	}
	if got := busy.say("the rest\r\n."); !strings.HasPrefix(got, "250 2.0.0 Queued") {
		t.Errorf("who was in the middle of a message hears %q", got)
	}
	if got := busy.line(); !strings.HasPrefix(got, "421 4.3.2") {
		t.Errorf("and then %q", got)
	}
	if err := <-g.done; err != nil {
		t.Errorf("the gateway ended with %v\n%s", err, g.log)
	}
	g.done = nil
	g.start()
	waitFor(t, func() (string, bool) {
		return "the message is not there", mailbox(t, g, "bob@local.test", "secret")["in the middle"] == 1
	})
}
