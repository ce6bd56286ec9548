package pop3pickup

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/forepost/forepost/relay/mail"
)

// state is a state of RFC 1939: a bit, so that commands can say where they are
// known.
type state uint8

const (
	authorization state = 1 << iota
	transaction
	ended
)

// maxErrors is how many commands may fail in a session before it ends.
const maxErrors = 20

// session is one connection, served by one goroutine.
type session struct {
	s   *Server
	c   *Config
	id  mail.ID
	log *slog.Logger

	raw  net.Conn // as it was accepted
	conn net.Conn // raw, or TLS over it
	r    *bufio.Reader
	w    *bufio.Writer

	mu      sync.Mutex
	closing bool // the server wants the session to end

	state    state
	user     string // of USER
	account  string // who logged in
	drop     *maildrop
	failures int // logins
	errors   int // commands
	fetched  int
	octets   int64
	deleted  int
	reason   string // why it ended, for the log
}

func newSession(s *Server, conn net.Conn) *session {
	id := s.c.IDs.Session()
	ss := &session{s: s, c: &s.c, id: id, raw: conn, state: authorization, reason: "quit",
		log: s.c.Log.With("id", id, "listener", s.c.Name, "client", conn.RemoteAddr().String())}
	ss.use(conn)
	return ss
}

// use makes conn the one that is read and written, with nothing buffered: what a
// client sent in the clear behind STLS is not seen again (RFC 2595 section 4).
func (ss *session) use(conn net.Conn) {
	ss.conn = conn
	ss.r, ss.w = bufio.NewReaderSize(conn, 1024), bufio.NewWriterSize(&timedWriter{ss}, 16<<10)
}

// timedWriter gives each write the time of the autologout.
type timedWriter struct{ ss *session }

func (t *timedWriter) Write(p []byte) (int, error) {
	t.ss.raw.SetWriteDeadline(t.ss.c.Now().Add(t.ss.c.Idle))
	return t.ss.conn.Write(p)
}

// run serves the session to its end.
func (ss *session) run() {
	defer ss.finish()
	if ss.c.Implicit && !ss.handshake() {
		return
	}
	ss.ok("%s POP3 ready %s", ss.c.Hostname, ss.id)
	for ss.state != ended {
		// RFC 2449 section 6.6: replies to pipelined commands go out together.
		if ss.r.Buffered() == 0 {
			if err := ss.w.Flush(); err != nil {
				ss.reason = "connection lost"
				return
			}
		}
		line, err := ss.read(maxCommand)
		switch {
		case err == nil:
			ss.command(string(line))
		case errors.Is(err, errLineLong), errors.Is(err, errLineEnd):
			ss.fail("", err.Error())
		default:
			ss.lost(err)
			return
		}
	}
}

// read reads a line within the time of the autologout.
func (ss *session) read(max int) ([]byte, error) {
	ss.mu.Lock()
	until := ss.c.Now()
	if !ss.closing {
		until = until.Add(ss.c.Idle)
	}
	ss.raw.SetReadDeadline(until)
	ss.mu.Unlock()
	return readLine(ss.r, max)
}

// lost ends a session that no line comes from any more. RFC 1939 section 3: it
// does not enter the UPDATE state, so nothing is deleted.
func (ss *session) lost(err error) {
	ss.mu.Lock()
	closing := ss.closing
	ss.mu.Unlock()
	switch {
	case closing:
		ss.reason = "server is shutting down"
		ss.err("SYS/TEMP", "The server is shutting down; nothing was deleted")
	case errors.Is(err, os.ErrDeadlineExceeded):
		ss.reason = "idle"
		ss.err("SYS/TEMP", "Idle for too long; nothing was deleted")
	case errors.Is(err, errLineEndles):
		ss.reason = "a line without an end"
		ss.err("", "The line is too long")
	case errors.Is(err, io.EOF):
		ss.reason = "left without QUIT"
	default:
		ss.reason = "connection lost"
	}
	ss.state = ended
}

// finish gives everything back, whatever the end was.
func (ss *session) finish() {
	if ss.drop != nil {
		ss.drop.unlock()
	}
	ss.w.Flush()
	ss.conn.Close()
	_, secure := ss.conn.(*tls.Conn)
	ss.log.Info("pop3: session ended", "account", ss.account, "tls", secure, "fetched", ss.fetched, "octets", ss.octets,
		"deleted", ss.deleted, "reason", ss.reason)
}

// interrupt asks the session to end after the command that it is in.
func (ss *session) interrupt() {
	ss.mu.Lock()
	defer ss.mu.Unlock()
	ss.closing = true
	ss.raw.SetReadDeadline(ss.c.Now())
}

// abort ends it at once.
func (ss *session) abort() { ss.raw.Close() }

// handshake does TLS on the connection.
func (ss *session) handshake() bool {
	ss.raw.SetDeadline(ss.c.Now().Add(ss.c.Idle / 10))
	conn := tls.Server(ss.raw, ss.c.TLS)
	if err := conn.HandshakeContext(ss.s.ctx); err != nil {
		ss.reason = "TLS failed: " + err.Error()
		return false
	}
	ss.raw.SetDeadline(noDeadline)
	ss.use(conn)
	return true
}

// secure tells whether passwords may be said here.
func (ss *session) secure() bool {
	if _, ok := ss.conn.(*tls.Conn); ok || ss.c.AllowCleartext {
		return true
	}
	host, _, err := net.SplitHostPort(ss.raw.RemoteAddr().String())
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback()
}

// command finds and runs a command. Keywords have no case, arguments are parted
// by one space (RFC 1939 section 3).
func (ss *session) command(line string) {
	word, arg, has := strings.Cut(line, " ")
	cmd, ok := commands[strings.ToUpper(word)]
	switch {
	case ss.state == authorization && isHTTP(word):
		ss.reason = "it speaks HTTP"
		ss.state = ended
	case !ok:
		ss.fail("", "Unknown command")
	case cmd.in&ss.state == 0:
		ss.fail("", "The command is not possible in this state")
	case has && !cmd.arg && strings.TrimSpace(arg) != "":
		ss.fail("", "The command takes no argument")
	default:
		cmd.run(ss, arg)
	}
}

// isHTTP tells whether a browser was made to talk to us (ALPACA and its kin).
func isHTTP(word string) bool {
	switch word {
	case "GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "PATCH", "PRI":
		return true
	}
	return false
}
