package inbound

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"

	"github.com/emersion/go-smtp"
)

// conn is one client's connection: the wire below go-smtp and the session above
// it.
type conn struct {
	srv     *Server
	raw     net.Conn
	client  netip.Addr
	wire    *wire
	session *session
}

func newConn(s *Server, raw net.Conn, client netip.Addr) *conn {
	c := &conn{srv: s, raw: raw, client: client, wire: newWire(&s.cfg, raw)}
	c.session = newSession(c)
	c.wire.talk = c.session
	return c
}

// run serves the client until it goes.
func (c *conn) run() {
	defer c.wire.release()
	defer c.raw.Close()
	defer c.session.end()
	defer c.caught("connection")
	if c.srv.cfg.Implicit && c.wire.handshake() != nil {
		return
	}
	if r := c.session.connect(); !r.IsZero() {
		c.wire.refuse(r)
		if c.wire.flush() == nil && r.Code() == 554 {
			c.wire.part()
		}
		return
	}
	c.wire.greet()
	for c.wire.rest() {
		c.round()
	}
}

func (p Protocol) greeting() string {
	if p == LMTP {
		return "LMTP"
	}
	return "ESMTP"
}

// round runs go-smtp over the wire, with a server of its own, until the client goes,
// is quiet or begins TLS.
func (c *conn) round() {
	cfg := &c.srv.cfg
	c.wire.fresh = true
	engine := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return c.session, nil }))
	engine.Domain = cfg.Hostname
	engine.MaxMessageBytes = cfg.MaxSize
	engine.MaxLineLength = 0 // the wire sees to it
	engine.AllowInsecureAuth = true
	engine.EnableSMTPUTF8 = true
	engine.EnableDSN = true
	engine.EnableREQUIRETLS = c.wire.secure
	engine.ErrorLog = engineLog{c}
	engine.Serve(newOneShot(guarded{c}))
	engine.Shutdown(context.Background()) // waits for its goroutine, which outlives Serve
}

// caught keeps a panic from ending more than its session.
func (c *conn) caught(where string) {
	if p := recover(); p != nil {
		c.panicked(where, p)
		c.hangUp()
	}
}

// hangUp ends a connection in which something broke.
func (c *conn) hangUp() {
	c.wire.put(421, "4.3.0", "Internal error, closing the connection")
	c.wire.flush()
}

func (c *conn) panicked(where string, p any) {
	if c.srv.cfg.Panicked != nil {
		c.srv.cfg.Panicked(where)
	}
	c.session.log.Error("panic in an SMTP session", "where", where, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
}

// guarded is the wire as go-smtp has it: a panic in it closes the connection
// (go-smtp catches only those of its command handlers).
type guarded struct{ c *conn }

func (g guarded) Read(p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			g.c.panicked("wire", v)
			g.c.hangUp()
			n, err = 0, io.EOF
		}
	}()
	return g.c.wire.Read(p)
}

func (g guarded) Write(p []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			g.c.panicked("wire", v)
			g.c.hangUp()
			n, err = 0, io.ErrClosedPipe
		}
	}()
	return g.c.wire.Write(p)
}

// engineLog takes what go-smtp logs.
type engineLog struct{ c *conn }

// Printf implements smtp.Logger.
func (l engineLog) Printf(format string, v ...any) {
	l.c.session.log.Log(l.c.session.ctx, slog.LevelError, "go-smtp: "+fmt.Sprintf(format, v...))
}

// Println implements smtp.Logger.
func (l engineLog) Println(v ...any) { l.Printf("%s", fmt.Sprint(v...)) }
