package outbound

import (
	"sync"
	"time"
)

// reuseTime is how long a connection may go on taking messages; after it a new
// one is made, so that load spreads and DNS changes are followed.
const reuseTime = 5 * time.Minute

// pool keeps connections for a few seconds after a delivery, for the next
// message to the same host.
type pool struct {
	perHost int
	keep    time.Duration
	now     func() time.Time

	mu     sync.Mutex
	idle   map[string][]*session // the one used last is at the end
	closed bool
}

// get takes a kept session, or none.
func (p *pool) get(key string) *session {
	p.mu.Lock()
	defer p.mu.Unlock()
	ss := p.idle[key]
	if len(ss) == 0 {
		return nil
	}
	s := ss[len(ss)-1]
	p.drop(key, s)
	s.expiry.Stop()
	return s
}

// put keeps a session, unless it is of no more use.
func (p *pool) put(key string, s *session) {
	if !p.keepIt(key, s) {
		s.quit()
	}
}

func (p *pool) keepIt(key string, s *session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.broken || p.closed || p.keep < 0 || p.now().Sub(s.began) > reuseTime || len(p.idle[key]) >= p.perHost {
		return false
	}
	p.idle[key] = append(p.idle[key], s)
	s.expiry = time.AfterFunc(p.keep, func() {
		p.mu.Lock()
		mine := p.drop(key, s)
		p.mu.Unlock()
		if mine {
			s.quit()
		}
	})
	return true
}

// drop takes a session out; false if it was not there any more. p.mu is held.
func (p *pool) drop(key string, s *session) bool {
	ss := p.idle[key]
	for i := range ss {
		if ss[i] == s {
			ss[i] = ss[len(ss)-1]
			ss[len(ss)-1] = nil
			if p.idle[key] = ss[:len(ss)-1]; len(ss) == 1 {
				delete(p.idle, key)
			}
			return true
		}
	}
	return false
}

// close ends all kept sessions and keeps none from now on.
func (p *pool) close() {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, ss := range idle {
		for _, s := range ss {
			s.expiry.Stop()
			s.quit()
		}
	}
}
