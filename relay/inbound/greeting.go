package inbound

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/trail"
)

// patience makes a stranger wait for the greeting, and tells whether it is to be
// served. A client has to wait for it (RFC 5321 section 4.3.1); one that speaks
// first does not listen to what we say, and is a spammer's more often than not.
// Nothing but a goroutine is spent on those who wait.
func (s *Server) patience(c net.Conn, client netip.Addr, known bool) bool {
	if s.cfg.GreetingDelay <= 0 || s.cfg.Implicit || known || client.IsLoopback() || !client.IsValid() {
		return true
	}
	c.SetReadDeadline(time.Now().Add(s.cfg.GreetingDelay))
	if s.isDraining() { // Shutdown may have cut the waiting short before we began it
		c.SetReadDeadline(time.Unix(1, 0))
	}
	var early [256]byte
	n, err := c.Read(early[:])
	c.SetReadDeadline(time.Time{})
	switch {
	case n > 0:
		s.spokeFirst(c, client, early[:n])
		return false
	case !errors.Is(err, os.ErrDeadlineExceeded): // it went away
		s.countRefused(client, "left_early")
		c.Close()
		return false
	case s.isDraining():
		c.SetWriteDeadline(time.Now().Add(time.Second))
		c.Write([]byte("421 4.3.2 " + s.cfg.Hostname + " The server is shutting down, try again\r\n"))
		c.Close()
		return false
	}
	return true
}

// spokeFirst refuses a client that did not wait for the greeting. It is the one
// refusal without a session that the trail keeps: who is told of it may ask.
func (s *Server) spokeFirst(c net.Conn, client netip.Addr, said []byte) {
	id := s.cfg.IDs.Session()
	r := naming(mail.Refuse(54, 5, 1, s.cfg.Hostname+" You spoke before the greeting"), id)
	s.countRefused(client, "pregreet")
	messages.WithLabelValues(s.cfg.Name, pipeline.Reject.String()).Inc()
	s.cfg.Trail.Record(&trail.Record{ID: id, Time: s.cfg.Now(), Listener: s.cfg.Name, Client: trail.Client{IP: client.String()},
		Outcomes: []trail.Outcome{{Action: pipeline.Reject.String(), Rule: "builtin.pregreet", Reply: r.String()}}})
	s.cfg.Log.Info("a client spoke before the greeting", "id", string(id), "client", client.String(), "said", shorten(string(said), 80))
	c.SetWriteDeadline(time.Now().Add(time.Second))
	c.Write([]byte(r.String() + "\r\n"))
	c.Close()
}

func (s *Server) isDraining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

// atOpening is a refusal as it can open a connection, where there are only two
// (RFC 5321 section 4.3.2): 554 for good, 421 for now.
func atOpening(r mail.Reply) mail.Reply {
	switch {
	case r.IsZero():
	case r.Class == mail.Permanent:
		r.Basic = 54
	default:
		r.Basic = 21
	}
	return r
}

// Of a client that was refused with 554 so much is heard out (RFC 5321 section
// 3.1: it says QUIT).
const (
	partingLines = 5
	partingTime  = 5 * time.Second
)

// part hears a client out to its QUIT and serves nothing.
func (w *wire) part() {
	until := deadlineIn(partingTime)
	for range partingLines {
		line, err := w.readLine(w.cfg.MaxLine, until)
		if err != nil {
			return
		}
		if string(line) == "QUIT" || string(line) == "quit" {
			w.put(221, "2.0.0", "Bye")
			break
		}
		w.put(503, "5.5.1", "You are not served here: say QUIT")
	}
	w.flush()
}
