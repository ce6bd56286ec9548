package inbound

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"
)

// tellEvery is how often the log tells of refused connections: a flood of them
// is one line.
const tellEvery = 10 * time.Second

// gateTexts are what the refused hear. They are asked to come again: most are
// servers in a hurry.
var gateTexts = map[string]string{
	gateSessions:    "Too many connections, try again later",
	gateClient:      "Too many connections from your address, try again later",
	gateNetwork:     "Too many connections from your network, try again later",
	gateClientRate:  "You connect too often, try again later",
	gateNetworkRate: "Your network connects too often, try again later",
}

// refusals counts connections that were refused before a session was made.
type refusals struct {
	mu   sync.Mutex
	told time.Time
	n    int // since then
}

// add counts one and tells how many there were since the last line, 0 where it
// is too early for one.
func (r *refusals) add(now time.Time) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.n++
	if now.Sub(r.told) < tellEvery {
		return 0
	}
	n := r.n
	r.told, r.n = now, 0
	return n
}

// turnAway says 421 where the client can read it, and closes. It runs where
// connections are accepted: no goroutine, no session, no trail. What is written
// fits into the socket, so it does not wait.
func (s *Server) turnAway(c net.Conn, client netip.Addr, why string) {
	s.countRefused(client, why)
	if line := s.goAway[why]; !s.cfg.Implicit {
		c.SetWriteDeadline(time.Now().Add(time.Second))
		c.Write(line)
	}
	c.Close()
}

// countRefused counts a connection that is refused, and logs now and then.
func (s *Server) countRefused(client netip.Addr, why string) {
	connections.WithLabelValues(s.cfg.Name, "refused").Inc()
	refusedFor.WithLabelValues(s.cfg.Name, why).Inc()
	if n := s.refused.add(s.cfg.Now()); n > 0 {
		s.cfg.Log.Warn("connections were refused", slog.Int("count", n), slog.String("why", why), slog.String("client", client.String()),
			slog.String("note", "the last of them; the next line comes in 10 s or more"))
	}
}

func goAway(hostname string) map[string][]byte {
	lines := map[string][]byte{}
	for why, text := range gateTexts {
		lines[why] = []byte("421 4.7.0 " + hostname + " " + text + "\r\n")
	}
	return lines
}
