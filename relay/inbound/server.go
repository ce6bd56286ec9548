package inbound

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/forepost/forepost/relay/pipeline"
)

// Server is one listener's servers and sessions.
type Server struct {
	cfg     Config
	gate    *gate
	refused refusals
	goAway  map[string][]byte // what the gate says, by its reason
	stop    context.Context
	halt    context.CancelFunc

	date     dates
	accepted interface{ Inc() } // what most messages count in, found once
	octets   interface{ Add(float64) }

	mu        sync.Mutex
	listeners map[net.Listener]bool
	conns     map[*conn]bool
	early     map[net.Conn]bool // without a session yet: of proxies that have not said for whom, of strangers who wait for the greeting
	draining  bool
	running   sync.WaitGroup
}

// New makes a server. It fails where the configuration lacks what a server
// cannot do without.
func New(cfg Config) (*Server, error) {
	cfg = cfg.withDefaults()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, goAway: goAway(cfg.Hostname),
		listeners: map[net.Listener]bool{}, conns: map[*conn]bool{}, early: map[net.Conn]bool{},
		accepted: messages.WithLabelValues(cfg.Name, pipeline.Accept.String()), octets: messageBytes.WithLabelValues(cfg.Name)}
	s.gate = newGate(&s.cfg)
	s.stop, s.halt = context.WithCancel(context.Background())
	return s, nil
}

// Serve takes connections until the listener or the server is closed, which is
// no error. Errors of accepting (no file descriptors left) are waited out.
func (s *Server) Serve(l net.Listener) error {
	if !s.open(l) {
		l.Close()
		return nil
	}
	defer s.forget(l)
	var wait time.Duration
	for {
		c, err := l.Accept()
		switch {
		case err == nil:
			wait = 0
			s.take(c)
		case errors.Is(err, net.ErrClosed) || s.stop.Err() != nil:
			return nil
		default:
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			s.cfg.Log.Error("accepting a connection failed, waiting", "error", err, "wait", wait)
			s.pause(wait)
		}
	}
}

// pause waits, but not beyond the end of the server.
func (s *Server) pause(d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-s.stop.Done():
	}
}

func (s *Server) open(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.draining {
		s.listeners[l] = true
	}
	return !s.draining
}

func (s *Server) forget(l net.Listener) {
	l.Close()
	s.mu.Lock()
	delete(s.listeners, l)
	s.mu.Unlock()
}

// take takes a connection, behind a proxy's header where it needs one.
func (s *Server) take(c net.Conn) {
	if s.fromProxy(c) {
		s.unwrap(c)
		return
	}
	s.admit(c)
}

// admit passes a connection through the gate and serves it.
func (s *Server) admit(c net.Conn) {
	client := clientOf(c)
	known := within(s.cfg.RelayFrom, client) || within(s.cfg.XClient, client)
	if why := s.gate.enter(client, known); why != "" {
		s.turnAway(c, client, why)
		return
	}
	if !s.arrive(c) {
		s.gate.leave(client, known)
		c.Close()
		return
	}
	go func() {
		defer s.running.Done()
		defer s.gate.leave(client, known)
		if !s.patience(c, client, known) {
			s.named(c)
			return
		}
		s.serve(c, client)
	}()
}

// arrive notes a connection that has no session yet; false while draining.
func (s *Server) arrive(c net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	s.early[c] = true
	s.running.Add(1)
	return true
}

// named ends what arrive began.
func (s *Server) named(c net.Conn) {
	s.mu.Lock()
	delete(s.early, c)
	s.mu.Unlock()
}

// serve makes the session of a connection and runs it.
func (s *Server) serve(c net.Conn, client netip.Addr) {
	connections.WithLabelValues(s.cfg.Name, "taken").Inc()
	sessionsNow.WithLabelValues(s.cfg.Name).Inc()
	defer sessionsNow.WithLabelValues(s.cfg.Name).Dec()
	cn := newConn(s, c, client)
	s.mu.Lock()
	delete(s.early, c)
	s.conns[cn] = true
	if s.draining {
		cn.wire.drain()
	}
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		delete(s.conns, cn)
		s.mu.Unlock()
	}()
	cn.run()
}

// Shutdown stops accepting and tells idle clients to go (421 4.3.2); messages
// on their way finish. When ctx ends what is left is cut off, and its error
// returned.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.draining = true
	for l := range s.listeners {
		l.Close()
	}
	for c := range s.early { // proxies that said nothing, strangers who wait: let neither wait longer
		c.SetReadDeadline(time.Unix(1, 0))
	}
	for c := range s.conns {
		c.wire.drain()
	}
	s.mu.Unlock()
	done := make(chan struct{})
	go func() {
		s.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		s.halt()
		return nil
	case <-ctx.Done():
		s.Close()
		<-done
		return ctx.Err()
	}
}

// Close cuts everything off.
func (s *Server) Close() error {
	s.halt()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.draining = true
	for l := range s.listeners {
		l.Close()
	}
	for c := range s.early {
		c.Close()
	}
	for c := range s.conns {
		c.raw.Close()
	}
	return nil
}
