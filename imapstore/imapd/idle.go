package imapd

import (
	"strings"
	"time"
)

// idle is IDLE (RFC 9051 section 6.3.13): changes are told as they come, until
// the client says DONE.
func (s *session) idle() reply {
	if !s.dec.End() {
		return syntax()
	}
	s.enc.Line("+ idling")
	s.dec.Begin()
	said := make(chan string, 1)
	go func() { said <- s.dec.Line() }() // it ends with the line, or with the connection
	line := s.push(said)
	if s.dec.Err() == nil && !strings.EqualFold(line, "DONE") {
		return bad("DONE was expected")
	}
	return done("")
}

// push tells changes until the client says something, and shows now and then
// that the connection is alive: address translators forget silent ones.
func (s *session) push(said <-chan string) string {
	alive := time.NewTicker(s.srv.cfg.KeepAlive)
	defer alive.Stop()
	for {
		var changed <-chan struct{}
		if s.view != nil {
			s.update(true)
			changed = s.view.box.Changed(s.view.base)
		}
		if s.enc.Flush() != nil {
			s.conn.Close() // it takes nothing any more: the reader ends too
		}
		select {
		case line := <-said:
			return line
		case <-changed:
		case <-alive.C:
			s.enc.Line("* OK Still here")
		}
	}
}
