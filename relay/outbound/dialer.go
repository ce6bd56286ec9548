package outbound

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// unackedTime is how long the other end may leave octets unacknowledged before the
// connection is given up: a server has minutes to answer a command, but a network that
// carries nothing for so long is cut, and another host may be reached.
const unackedTime = 20 * time.Second

// dialer connects, from an address of this host where it is valid.
func dialer(from netip.Addr) *net.Dialer {
	d := &net.Dialer{Control: func(network, _ string, c syscall.RawConn) error {
		if network == "unix" {
			return nil
		}
		return c.Control(func(fd uintptr) {
			// RFC 5482; where it is not known, the system's own time holds
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(unackedTime.Milliseconds()))
		})
	}}
	if from.IsValid() {
		d.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))
	}
	return d
}

// dialFrom connects from an address of this host.
func dialFrom(ctx context.Context, network, addr string, from netip.Addr) (net.Conn, error) {
	return dialer(from).DialContext(ctx, network, addr)
}
