package inbound

import (
	"net"
	"sync"
	"time"
)

// oneShot is a listener that gives one connection and ends when that is closed:
// go-smtp gets a server of its own for each client.
type oneShot struct {
	first chan net.Conn
	done  chan struct{}
	addr  net.Addr
}

func newOneShot(g guarded) *oneShot {
	l := &oneShot{first: make(chan net.Conn, 1), done: make(chan struct{}), addr: g.c.wire.LocalAddr()}
	l.first <- &oneConn{guarded: g, done: l.done}
	return l
}

// Accept returns the connection, and the second time waits for its end.
func (l *oneShot) Accept() (net.Conn, error) {
	select {
	case c := <-l.first:
		return c, nil
	default:
	}
	<-l.done
	return nil, net.ErrClosed
}

// Close does nothing: the listener ends with its connection.
func (l *oneShot) Close() error { return nil }

// Addr is the address that the client connected to.
func (l *oneShot) Addr() net.Addr { return l.addr }

// oneConn is the connection of a oneShot.
type oneConn struct {
	guarded
	once sync.Once
	done chan struct{}
}

// Close ends the listener, too. go-smtp calls it more than once.
func (c *oneConn) Close() error {
	err := c.c.wire.Close()
	c.once.Do(func() { close(c.done) })
	return err
}

func (c *oneConn) LocalAddr() net.Addr              { return c.c.wire.LocalAddr() }
func (c *oneConn) RemoteAddr() net.Addr             { return c.c.wire.RemoteAddr() }
func (c *oneConn) SetDeadline(time.Time) error      { return nil } // the wire's own affair
func (c *oneConn) SetReadDeadline(time.Time) error  { return nil }
func (c *oneConn) SetWriteDeadline(time.Time) error { return nil }
