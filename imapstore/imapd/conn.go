package imapd

import (
	"net"
	"net/netip"
	"os"
	"sync"
	"time"
)

// writeTimeout is how long a client may leave one write of ours unread.
const writeTimeout = 2 * time.Minute

// deadlines is a connection whose every read and write has a deadline.
type deadlines struct {
	net.Conn
	now func() time.Time

	mu    sync.Mutex
	idle  time.Duration // for one read
	until time.Time     // for all reads together; zero: none
	bye   bool          // stopped: no read begins any more
}

// Read reads within the idle time, and before until.
func (d *deadlines) Read(p []byte) (int, error) {
	d.mu.Lock()
	if d.bye {
		d.mu.Unlock()
		return 0, os.ErrDeadlineExceeded
	}
	at := d.now().Add(d.idle)
	if !d.until.IsZero() && d.until.Before(at) {
		at = d.until
	}
	d.Conn.SetReadDeadline(at)
	d.mu.Unlock()
	return d.Conn.Read(p)
}

// Write writes within writeTimeout.
func (d *deadlines) Write(p []byte) (int, error) {
	d.Conn.SetWriteDeadline(d.now().Add(writeTimeout))
	return d.Conn.Write(p)
}

// limit sets the times.
func (d *deadlines) limit(idle time.Duration, until time.Time) {
	d.mu.Lock()
	d.idle, d.until = idle, until
	d.mu.Unlock()
}

// stop ends the read under way, and those to come, as if time were up.
func (d *deadlines) stop() {
	d.mu.Lock()
	d.bye = true
	d.Conn.SetReadDeadline(d.now().Add(-time.Second))
	d.mu.Unlock()
}

// clientOf is the address by which a client is counted, without its port.
func clientOf(a net.Addr) (client string, loopback bool) {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return a.String(), a.Network() == "pipe" || a.Network() == "unix"
	}
	ip := ap.Addr().Unmap()
	if ip.Is6() {
		p, _ := ip.Prefix(64) // one customer of IPv6 has a /64
		return p.String(), ip.IsLoopback()
	}
	return ip.String(), ip.IsLoopback()
}
