package ldap

import (
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"
)

// What a pool keeps: servers close what is silent for long.
const (
	maxIdle  = 8
	idleTime = time.Minute
)

// pool keeps connections that nobody uses, the one used last on top.
type pool struct {
	mu   sync.Mutex
	idle []idle
	shut bool
}

type idle struct {
	conn  *ldap.Conn
	since time.Time
}

// take gives a connection, nil where there is none.
func (p *pool) take(now time.Time) *ldap.Conn {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.idle) > 0 {
		last := p.idle[len(p.idle)-1]
		p.idle = p.idle[:len(p.idle)-1]
		if !last.conn.IsClosing() && now.Sub(last.since) < idleTime {
			return last.conn
		}
		last.conn.Close()
	}
	return nil
}

func (p *pool) put(conn *ldap.Conn, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shut || len(p.idle) >= maxIdle || conn.IsClosing() {
		conn.Close()
		return
	}
	p.idle = append(p.idle, idle{conn, now})
}

func (p *pool) flush() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, i := range p.idle {
		i.conn.Close()
	}
	p.idle = nil
}

func (p *pool) close() {
	p.mu.Lock()
	p.shut = true
	p.mu.Unlock()
	p.flush()
}
