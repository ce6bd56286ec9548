package imapd

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/imapstore/imapd/wire"
	"github.com/forepost/forepost/relay/mail"
)

// state is where a session stands (RFC 9051 section 3).
type state uint8

const (
	stateNew      state = 1 << iota // not authenticated
	stateAuth                       // authenticated
	stateSelected                   // selected
	stateLogout

	stateAny = stateNew | stateAuth | stateSelected
	stateIn  = stateAuth | stateSelected
)

// session is one connection. Its goroutine alone touches it, interrupt apart.
type session struct {
	srv    *Server
	id     mail.ID
	log    *slog.Logger
	client string
	local  bool // from the loopback

	conn   net.Conn   // the connection, or TLS over it
	limit  *deadlines // under conn
	secure bool
	dec    *wire.Decoder
	enc    *wire.Encoder

	state   state
	user    string
	account imapstore.Account
	view    *view           // of the selected mailbox
	saved   []imapstore.UID // "$", RFC 9051 section 6.4.4.1

	condstore bool // RFC 7162 section 3.1: mod-sequences are told
	rev2      bool // RFC 9051 was enabled

	tag     string // of the command under way
	upgrade bool   // STARTTLS was answered
	errors  int    // BADs and wrong passwords
	tries   int    // wrong passwords
}

// Errors that a client may make before it is sent away.
const (
	maxErrorsNew = 5
	maxErrors    = 50
	maxTries     = 5
)

// limitsNew are for clients that nobody knows yet. ID may have 31 KiB (RFC 2971
// section 3.3).
var limitsNew = wire.Limits{Line: 40 << 10, Literal: 4 << 10, Drain: 64 << 10}

func newSession(srv *Server, conn net.Conn) *session {
	s := &session{srv: srv, state: stateNew}
	s.client, s.local = clientOf(conn.RemoteAddr())
	s.limit = &deadlines{Conn: conn, now: srv.cfg.Now}
	s.limit.limit(srv.cfg.LoginWithin, srv.cfg.Now().Add(srv.cfg.LoginWithin))
	s.use(s.limit)
	return s
}

// use reads and writes c from now on; what was read from the connection before
// and not used is gone.
func (s *session) use(c net.Conn) {
	s.conn = c
	s.dec = wire.NewDecoder(c, limitsNew)
	s.dec.Continue = s.goOn
	s.enc = wire.NewEncoder(c)
}

func (s *session) goOn() error {
	s.enc.Line("+ OK")
	return s.enc.Flush()
}

// run serves the connection to its end.
func (s *session) run() {
	s.id = s.srv.cfg.IDs.Session()
	s.log = s.srv.cfg.Log.With("id", s.id, "listener", s.srv.cfg.Name, "client", s.client)
	defer s.srv.leave(s)
	defer s.conn.Close()
	defer s.rescue()
	if s.srv.cfg.Implicit && !s.startTLS() {
		return
	}
	s.log.Debug("imap: session begins", "tls", s.secure)
	s.greet()
	err := s.loop()
	s.bye(err)
	s.log.Debug("imap: session ends", "user", s.user, "err", err)
}

// rescue keeps a panic of one session from the others.
func (s *session) rescue() {
	if p := recover(); p != nil {
		metricPanics().Inc()
		s.log.Error("imap: panic in a session", "user", s.user, "panic", p, "stack", string(debug.Stack()))
	}
}

func (s *session) greet() {
	s.enc.Line("* OK [CAPABILITY ", s.capabilities(), "] ", s.srv.cfg.Hostname, " Forepost ready")
}

// loop reads commands and answers them. Answers go out when the client has
// nothing more on its way: pipelined commands are answered together.
func (s *session) loop() error {
	for s.state != stateLogout {
		if !s.dec.Buffered() {
			if err := s.enc.Flush(); err != nil {
				return err
			}
		}
		if err := s.command(); err != nil {
			return err
		}
		if s.upgrade && !s.startTLS() {
			return io.EOF
		}
	}
	return nil
}

// bye takes leave of a client that did not, and sends what is left.
func (s *session) bye(err error) {
	var syntax *wire.Error
	switch {
	case err == nil || s.enc.Err() != nil:
	case errors.As(err, &syntax):
		s.enc.Line("* BYE ", bracket(syntax.Code), syntax.Text)
	case errors.Is(err, errTooMany):
		s.enc.Line("* BYE Too many errors")
	case errors.Is(err, os.ErrDeadlineExceeded) && s.srv.isClosed():
		s.enc.Line("* BYE The server is shutting down")
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.enc.Line("* BYE Autologout: nothing heard for too long")
	case errors.Is(err, io.EOF):
	}
	s.enc.Flush()
	if t, ok := s.conn.(*tls.Conn); ok {
		t.CloseWrite()
	}
}

var errTooMany = errors.New("imap: too many errors")

var errReadOnly = errors.New("imap: the mailbox is open for reading only")

// interrupt ends the session before its next command, from outside.
func (s *session) interrupt() { s.limit.stop() }

// ctx is good for one command.
func (s *session) ctx() context.Context { return s.srv.ctx }
