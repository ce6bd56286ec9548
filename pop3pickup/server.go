package pop3pickup

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"
)

// The pauses of the accept loop while there are no file descriptors or the like.
const (
	acceptPause    = 5 * time.Millisecond
	acceptMaxPause = time.Second
)

// Serve takes connections from l until Shutdown or Close, and closes it.
//
// Diagnostics: "cannot accept" means most often that the process has no file
// descriptors left; it goes on as soon as there are some.
func (s *Server) Serve(l net.Listener) error {
	defer l.Close()
	if !s.listen(l) {
		return ErrClosed
	}
	defer s.unlisten(l)
	pause := acceptPause
	for {
		conn, err := l.Accept()
		switch {
		case err == nil:
			pause = acceptPause
			s.start(conn)
		case s.isClosing():
			return ErrClosed
		case errors.Is(err, net.ErrClosed): // its owner closed it
			return err
		default:
			s.c.Log.Warn("pop3: cannot accept connections, will try again", "listener", s.c.Name, "error", err)
			if !s.pause(pause) {
				return ErrClosed
			}
			pause = min(2*pause, acceptMaxPause)
		}
	}
}

// pause waits; false if the server closes meanwhile.
func (s *Server) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.ctx.Done():
		return false
	}
}

func (s *Server) listen(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closing {
		s.listeners[l] = true
	}
	return !s.closing
}

func (s *Server) unlisten(l net.Listener) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// start begins a session, or turns the client away.
func (s *Server) start(conn net.Conn) {
	client := clientKey(conn.RemoteAddr())
	ss := newSession(s, conn)
	s.mu.Lock()
	refuse := s.closing || len(s.sessions) >= s.c.MaxSessions || s.clients[client] >= s.c.MaxPerClient
	if !refuse {
		s.sessions[ss] = true
		s.clients[client]++
		s.work.Add(1)
	}
	s.mu.Unlock()
	if refuse {
		s.turnAway(conn)
		return
	}
	sessions.WithLabelValues().Inc()
	go func() {
		defer s.end(ss, client)
		ss.run()
	}()
}

// turnAway says why and closes. The few octets fit into the socket's buffer, so
// that the accept loop does not wait for the client.
func (s *Server) turnAway(conn net.Conn) {
	refused.WithLabelValues().Inc()
	s.c.Log.Warn("pop3: too many sessions, a client was turned away", "listener", s.c.Name, "client", conn.RemoteAddr().String())
	if !s.c.Implicit {
		conn.SetWriteDeadline(s.c.Now().Add(time.Second))
		conn.Write([]byte("-ERR [SYS/TEMP] There are too many connections, try again later\r\n"))
	}
	conn.Close()
}

func (s *Server) end(ss *session, client string) {
	s.mu.Lock()
	delete(s.sessions, ss)
	if s.clients[client]--; s.clients[client] == 0 {
		delete(s.clients, client)
	}
	s.mu.Unlock()
	sessions.WithLabelValues().Dec()
	s.work.Done()
}

// clientKey is what MaxPerClient counts by.
func clientKey(a net.Addr) string {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return a.String()
	}
	ip := ap.Addr().Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	p, err := ip.Prefix(64)
	if err != nil {
		return ip.String()
	}
	return p.String()
}

// Shutdown takes no new connections and lets each session finish the command
// that it is in; what a client deleted without QUIT stays. It returns when all
// are gone, or closes the rest when ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	s.close((*session).interrupt)
	done := make(chan struct{})
	go func() { s.work.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		s.Close()
		return ctx.Err()
	}
}

// Close ends all sessions at once.
func (s *Server) Close() error {
	s.cancel()
	s.close((*session).abort)
	s.work.Wait()
	return nil
}

// close refuses what is new and does f to every session.
func (s *Server) close(f func(*session)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	for l := range s.listeners {
		l.Close()
	}
	for ss := range s.sessions {
		f(ss)
	}
}
