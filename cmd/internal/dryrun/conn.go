package dryrun

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"

	"github.com/forepost/forepost/relay/inbound"
)

// line is a connection to a server in the same process: nothing goes over a
// network.
type line struct {
	net.Conn
	r    *bufio.Reader
	gone <-chan struct{} // the server has let go of it
	lmtp bool            // by the greeting
	met  bool
}

// dial connects to srv as a client of that address, over TLS where the server
// begins with it.
func dial(srv *inbound.Server, client netip.Addr, encrypted bool) (*line, error) {
	ours, theirs := net.Pipe()
	gone := make(chan struct{})
	door := &oneDoor{conn: &from{Conn: theirs, client: client, closed: gone}, open: make(chan struct{})}
	go srv.Serve(door) // it ends when the server is closed, which is no error
	l := &line{Conn: ours, gone: gone}
	if encrypted {
		if err := l.encrypt(); err != nil {
			return nil, err
		}
	}
	l.r = bufio.NewReader(l.Conn)
	return l, nil
}

// encrypt begins TLS. Whose the certificate is does not matter: it is ours.
func (l *line) encrypt() error {
	c := tls.Client(l.Conn, &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12})
	if err := c.Handshake(); err != nil {
		return fmt.Errorf("TLS: %w", err)
	}
	l.Conn, l.r = c, bufio.NewReader(c)
	return nil
}

// reply reads one reply with all its lines, without their ends; io.EOF where the
// server has gone.
func (l *line) reply() (lines []string, err error) {
	for {
		s, err := l.r.ReadString('\n')
		if err != nil {
			if len(lines) > 0 {
				return lines, nil
			}
			return nil, io.EOF
		}
		s = strings.TrimRight(s, "\r\n")
		lines = append(lines, s)
		if !l.met {
			l.met, l.lmtp = true, strings.Contains(s, " LMTP ")
		}
		if len(s) < 4 || s[3] != '-' {
			return lines, nil
		}
	}
}

func (l *line) send(s string) error {
	_, err := io.WriteString(l.Conn, s+"\r\n")
	return err
}

// from is the server's end, with the client that it sees.
type from struct {
	net.Conn
	client netip.Addr
	once   sync.Once
	closed chan struct{}
}

// RemoteAddr is the client's.
func (f *from) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.AddrPortFrom(f.client, 40000))
}

// Close tells that the server is through with the client.
func (f *from) Close() error {
	f.once.Do(func() { close(f.closed) })
	return f.Conn.Close()
}

// oneDoor is a listener with one client.
type oneDoor struct {
	conn net.Conn
	open chan struct{}
	once sync.Once
}

// Accept gives the client, and then waits for the end.
func (d *oneDoor) Accept() (net.Conn, error) {
	if c := d.conn; c != nil {
		d.conn = nil
		return c, nil
	}
	<-d.open
	return nil, net.ErrClosed
}

// Close ends the waiting.
func (d *oneDoor) Close() error {
	d.once.Do(func() { close(d.open) })
	return nil
}

// Addr is of no network.
func (d *oneDoor) Addr() net.Addr { return &net.UnixAddr{Name: "dry run"} }
