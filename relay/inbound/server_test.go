package inbound

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestShutdown: idle clients are told to go, a message on its way is finished
// (C16: go-smtp would wait for the idle).
func TestShutdown(t *testing.T) {
	s := newSite(nil).start(t)
	idle, busy := s.dial(t).hello(), s.dial(t).hello()
	busy.say("MAIL FROM:<a@b.test>", "250")
	busy.say("RCPT TO:<bob@example.com>", "250")
	busy.say("DATA", "354")
	done := make(chan error, 1)
	go func() { done <- s.srv.Shutdown(context.Background()) }()
	idle.want("421 4.3.2")
	if l := idle.line(); l != "EOF" {
		t.Errorf("the idle client heard %q", l)
	}
	select {
	case <-done:
		t.Error("Shutdown did not wait for the message")
	default:
	}
	busy.say("From: a@b.test\r\n\r\n.", "250 2.0.0 Queued")
	busy.want("421 4.3.2")
	if err := <-done; err != nil {
		t.Error(err)
	}
	if c, err := net.Dial("tcp", s.addr); err == nil {
		c.Close()
		t.Error("it still listens")
	}
}

// TestShutdownCut: what does not finish in time is cut off, and the session ends
// after its data, not beside them (C15).
func TestShutdownCut(t *testing.T) {
	s := newSite(nil).start(t)
	busy := s.dial(t).hello()
	busy.say("MAIL FROM:<a@b.test>", "250")
	busy.say("RCPT TO:<bob@example.com>", "250")
	busy.say("DATA", "354")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.srv.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if s.spool.count() != 0 {
		t.Error("half a message was queued")
	}
}

// TestGate: more sessions than the limits, in all and from one client, hear 421.
func TestGate(t *testing.T) {
	s := newSite(func(c *Config) { c.MaxPerClient = 2 }).start(t)
	a := s.dial(t).hello()
	s.dial(t).hello()
	c := s.dial(t)
	c.want("421 4.7.0")
	if l := c.line(); l != "EOF" {
		t.Errorf("heard %q", l)
	}
	a.say("QUIT", "221")
	a.line()
	for range 100 { // the server notices in its own time
		if l := s.dial(t).reply(); strings.HasPrefix(l, "220") {
			return
		}
	}
	t.Error("the place was not given back")
}

// emptyHanded fails to accept, as when file descriptors have run out.
type emptyHanded struct {
	net.Listener
	calls atomic.Int64
	done  chan struct{}
}

func (e *emptyHanded) Accept() (net.Conn, error) {
	e.calls.Add(1)
	select {
	case <-e.done:
		return nil, net.ErrClosed
	default:
		return nil, errors.New("too many open files")
	}
}

func (e *emptyHanded) Close() error { return nil }

// TestAcceptErrors: errors of accepting are waited out, without a spin.
func TestAcceptErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(nil)
		srv, err := New(s.cfg)
		if err != nil {
			t.Fatal(err)
		}
		l := &emptyHanded{done: make(chan struct{})}
		served := make(chan error, 1)
		go func() { served <- srv.Serve(l) }()
		time.Sleep(time.Minute)
		if n := l.calls.Load(); n < 30 || n > 100 {
			t.Errorf("%d calls in a minute", n)
		}
		srv.Close()
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
}

// TestNewChecks: a configuration that lacks something is refused, with words.
func TestNewChecks(t *testing.T) {
	for _, change := range []func(*Config){
		func(c *Config) { c.Hostname = "" },
		func(c *Config) { c.Spool = nil },
		func(c *Config) { c.Implicit = true },
	} {
		if _, err := New(newSite(change).cfg); err == nil {
			t.Error("it was taken")
		}
	}
}
