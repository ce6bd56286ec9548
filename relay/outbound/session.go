package outbound

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// How long a server may take, RFC 5321 section 4.5.3.2. Connecting and the
// handshake of TLS are ours to bound.
const (
	connectTime   = 30 * time.Second
	handshakeTime = time.Minute
	greetingTime  = 5 * time.Minute
	commandTime   = 5 * time.Minute // EHLO, MAIL, RCPT, AUTH
	dataTime      = 2 * time.Minute // the reply to DATA
	blockTime     = 3 * time.Minute // each block of the message
	doneTime      = 10 * time.Minute
	quitTime      = 5 * time.Second

	// patience is how long a delivery goes on to further hosts: each of many may
	// use its five minutes up, and the queue has others waiting.
	patience = 10 * time.Minute
)

// blockSize is how much of a message goes out at once.
const blockSize = 32 << 10

// session is a connection to a server whose greeting and EHLO are done: mail
// can be sent. It is used by one goroutine at a time.
type session struct {
	raw    net.Conn // below TLS
	conn   net.Conn
	r      *bufio.Reader
	w      *bufio.Writer
	host   string            // "ex1.example.com[10.0.0.5]:25"
	ext    map[string]string // what EHLO offered: keyword, in capitals, to parameters
	lmtp   bool
	tls    string // "TLS 1.3, TLS_AES_128_GCM_SHA256, verified by DANE-EE"
	note   string // for the trail: what it was asked, or why there is no TLS
	result string // what failed of it without hindering, in the words of RFC 8460
	began  time.Time
	dirty  bool // a transaction was begun and not ended: RSET is due
	broken bool // nothing more can be said on it
	stop   func() bool
	expiry *time.Timer // while it waits to be used again
}

func newSession(conn net.Conn, host string, now time.Time) *session {
	s := &session{raw: conn, host: host, began: now}
	s.use(conn)
	return s
}

// use puts the session on a connection; what was buffered of the one before is
// gone with it.
func (s *session) use(conn net.Conn) {
	s.conn = conn
	s.r = bufio.NewReaderSize(conn, maxReplyLine)
	s.w = bufio.NewWriterSize(deadlined{conn}, blockSize)
}

// deadlined gives each write its own time.
type deadlined struct{ net.Conn }

func (d deadlined) Write(p []byte) (int, error) {
	// A deadline is by nature one of the real clock.
	if err := d.SetWriteDeadline(time.Now().Add(blockTime)); err != nil {
		return 0, err
	}
	return d.Conn.Write(p)
}

// bind makes the end of ctx the end of the connection; release undoes it and
// tells whether the connection is still there.
func (s *session) bind(ctx context.Context) {
	s.stop = context.AfterFunc(ctx, func() { s.raw.Close() })
}

func (s *session) release() bool { return s.stop == nil || s.stop() }

// put writes a command without sending it yet. Commands are built from checked
// parts; one that holds a line end would be two commands and is not sent.
func (s *session) put(line string) error {
	if strings.ContainsAny(line, "\r\n\x00") {
		s.broken = true
		return errors.New("a command with a line end in it was about to be sent")
	}
	s.w.WriteString(line)
	_, err := s.w.WriteString("\r\n")
	return err
}

func (s *session) flush() error {
	if err := s.w.Flush(); err != nil {
		s.broken = true
		return err
	}
	return nil
}

// read waits for the next reply. A 421 means that the server is about to close,
// whatever it answers (RFC 5321 section 3.8).
func (s *session) read(d time.Duration) (response, error) {
	if err := s.conn.SetReadDeadline(time.Now().Add(d)); err != nil {
		s.broken = true
		return response{}, err
	}
	resp, err := readResponse(s.r)
	if err != nil || resp.code == 421 {
		s.broken = true
	}
	return resp, err
}

// do sends one command and waits for its reply.
func (s *session) do(line string) (response, error) {
	if err := s.put(line); err != nil {
		return response{}, err
	}
	if err := s.flush(); err != nil {
		return response{}, err
	}
	return s.read(commandTime)
}

func (s *session) has(keyword string) bool {
	_, ok := s.ext[keyword]
	return ok
}

// quit takes leave as RFC 5321 section 4.1.1.10 has it, without making anybody
// wait.
func (s *session) quit() {
	if s.broken {
		s.raw.Close()
		return
	}
	s.broken = true
	go func() {
		defer s.conn.Close()
		s.conn.SetDeadline(time.Now().Add(quitTime))
		if _, err := s.conn.Write([]byte("QUIT\r\n")); err == nil {
			readResponse(s.r) // what it says does not matter
		}
	}()
}

// failure is why a server could not be used: it is about the host, not about a
// recipient, and the next host may do better.
type failure struct {
	reply     mail.Reply
	remote    bool // reply is the server's
	host      string
	tls       string
	fit       bool   // the session is as good as before: it was the message
	handshake bool   // it was TLS that failed
	result    string // what failed of TLS, in the words of RFC 8460; "" where it was something else
}

func (f *failure) Error() string { return f.host + ": " + f.reply.String() }

// refused is the failure of a host that said no when it was asked for service.
func (s *session) refused(r response) *failure {
	return &failure{reply: r.reply(), remote: true, host: s.host, tls: s.tls}
}

// ours is a transient failure in our own words.
func (s *session) ours(subject, detail int, text string) *failure {
	return &failure{reply: mail.Defer(51, subject, detail, text), host: s.host, tls: s.tls}
}

// lost is the failure of a connection while we waited for something.
func (s *session) lost(doing string, err error) *failure {
	s.broken = true
	return s.ours(4, 2, fmt.Sprintf("%s while %s", inWords(err), doing))
}

// inWords says what happened to a connection, for people.
func inWords(err error) string {
	var garbage errGarbage
	var ne net.Error
	switch {
	case errors.As(err, &garbage):
		return "The server's reply makes no sense (" + garbage.why + ")"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe),
		errors.Is(err, syscall.EPIPE), errors.Is(err, syscall.ECONNRESET):
		return "The server closed the connection"
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &ne) && ne.Timeout():
		return "The server took too long"
	case errors.Is(err, net.ErrClosed):
		return "The delivery was cut off"
	}
	return "The connection failed (" + err.Error() + ")"
}

func tlsText(cs tls.ConnectionState) string {
	return tls.VersionName(cs.Version) + ", " + tls.CipherSuiteName(cs.CipherSuite)
}
