package imapd

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
)

// ErrClosed is what Serve returns after Shutdown or Close.
var ErrClosed = errors.New("imapd: the server is closed")

// Server serves IMAP on its listeners.
type Server struct {
	cfg     Config
	ctx     context.Context // ends with Close
	cancel  context.CancelFunc
	parts   *lru.Cache[*mail.Message, *mime.Part] // structures of the messages looked at last
	recents *recents

	mu        sync.Mutex
	closed    bool
	listeners map[net.Listener]struct{}
	sessions  map[*session]struct{}
	clients   map[string]int // sessions by address
	wg        sync.WaitGroup
}

// New makes a server; Serve starts it.
func New(c Config) (*Server, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	c.defaults()
	recents, err := newRecents(c.Now())
	if err != nil {
		return nil, err
	}
	parts, err := lru.New[*mail.Message, *mime.Part](cachedParts)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: c, parts: parts, recents: recents, listeners: map[net.Listener]struct{}{},
		sessions: map[*session]struct{}{}, clients: map[string]int{}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s, nil
}

// Serve takes connections until the server is shut down; then it returns
// ErrClosed. It may be called for several listeners.
func (s *Server) Serve(l net.Listener) error {
	if !s.addListener(l) {
		l.Close()
		return ErrClosed
	}
	for wait := time.Duration(0); ; {
		conn, err := l.Accept()
		if err == nil {
			wait = 0
			s.start(conn)
			continue
		}
		if s.isClosed() {
			return ErrClosed
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		// Out of file descriptors, most likely: it passes, but not by trying at once.
		wait = min(max(2*wait, 5*time.Millisecond), time.Second)
		s.cfg.Log.Warn("imap: cannot take a connection", "listener", s.cfg.Name, "err", err, "again", wait)
		if !sleep(s.ctx, wait) {
			return ErrClosed
		}
	}
}

func (s *Server) addListener(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.listeners[l] = struct{}{}
	}
	return !s.closed
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// start gives the connection a session, or refuses it. A refusal is one write
// with a deadline, apart from the loop that accepts.
func (s *Server) start(conn net.Conn) {
	sess := newSession(s, conn)
	why, limit := s.enter(sess)
	if why == "" {
		go sess.run()
		return
	}
	metricRefused(limit).Inc()
	s.cfg.Log.Warn("imap: connection refused", "listener", s.cfg.Name, "client", sess.client, "why", why)
	go func() {
		conn.SetDeadline(s.cfg.Now().Add(5 * time.Second))
		if !s.cfg.Implicit { // it has not asked for TLS yet
			conn.Write([]byte("* BYE [UNAVAILABLE] " + why + "\r\n"))
		}
		conn.Close()
	}()
}

// enter counts a session in, or tells why it cannot come in.
func (s *Server) enter(sess *session) (why, limit string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return "The server is shutting down", "closed"
	case len(s.sessions) >= s.cfg.MaxSessions:
		return "Too many connections", "all"
	case s.clients[sess.client] >= s.cfg.MaxPerClient:
		return "Too many connections from your address", "client"
	}
	s.sessions[sess] = struct{}{}
	s.clients[sess.client]++
	s.wg.Add(1)
	metricSessions(s.cfg.Name).Inc()
	return "", ""
}

func (s *Server) leave(sess *session) {
	s.mu.Lock()
	delete(s.sessions, sess)
	if s.clients[sess.client]--; s.clients[sess.client] == 0 {
		delete(s.clients, sess.client)
	}
	s.mu.Unlock()
	metricSessions(s.cfg.Name).Dec()
	s.wg.Done()
}

// Shutdown takes no more connections, tells every client BYE between two of
// its commands, and waits for the sessions to end; when ctx ends first it
// closes them and returns the error of ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	for _, sess := range s.stop() {
		sess.interrupt()
	}
	done := make(chan struct{})
	go func() { s.wg.Wait(); close(done) }()
	select {
	case <-done:
		s.cancel()
		return nil
	case <-ctx.Done():
		s.Close()
		return ctx.Err()
	}
}

// Close ends everything at once.
func (s *Server) Close() error {
	sessions := s.stop()
	s.cancel()
	for _, sess := range sessions {
		sess.limit.Conn.Close() // sess.conn is the session's own
	}
	s.wg.Wait()
	return nil
}

func (s *Server) stop() (open []*session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for l := range s.listeners {
		l.Close()
		delete(s.listeners, l)
	}
	for sess := range s.sessions {
		open = append(open, sess)
	}
	return open
}

// sleep waits and tells whether ctx lasted.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
