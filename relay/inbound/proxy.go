package inbound

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
)

// The PROXY protocol, versions 1 and 2, as haproxy's proxy-protocol.txt has it
// (revision 2020/03/05). A header is taken only from networks of
// Config.ProxyFrom, and asked of each of their connections: without it nobody
// knows who the client is.
const (
	proxyTime   = 10 * time.Second // for the header
	maxProxyV1  = 107              // with CRLF, section 2.1
	maxProxyV2  = 4096             // with its TLVs, of which none is used
	proxyV2Sign = "\r\n\r\n\x00\r\nQUIT\n"
)

// errProxy is a header that cannot be understood.
var errProxy = errors.New("no PROXY header that can be understood")

// proxied is a connection with the addresses of the client and of what it
// connected to, in front of the proxy.
type proxied struct {
	net.Conn
	rest          []byte // read with the header
	remote, local net.Addr
}

func (p *proxied) RemoteAddr() net.Addr { return p.remote }
func (p *proxied) LocalAddr() net.Addr  { return p.local }

// Read gives first what was read with the header.
func (p *proxied) Read(b []byte) (int, error) {
	if len(p.rest) == 0 {
		return p.Conn.Read(b)
	}
	n := copy(b, p.rest)
	p.rest = p.rest[n:]
	return n, nil
}

// fromProxy tells whether a connection's peer is one of our proxies.
func (s *Server) fromProxy(c net.Conn) bool {
	peer := clientOf(c)
	for _, p := range s.cfg.ProxyFrom {
		if p.Contains(peer) {
			return true
		}
	}
	return false
}

// unwrap waits for the header of a proxy's connection and takes it then. It is
// not counted against any client before.
func (s *Server) unwrap(c net.Conn) {
	if !s.arrive(c) {
		c.Close()
		return
	}
	go func() {
		defer s.running.Done()
		p, err := s.header(c)
		s.named(c)
		if err != nil {
			connections.WithLabelValues(s.cfg.Name, "refused").Inc()
			s.cfg.Log.Warn("a proxy's connection was refused", "proxy", c.RemoteAddr().String(), "error", err)
			c.Close()
			return
		}
		s.admit(p)
	}()
}

// header reads the header of a connection. A defect in that ends no more than the
// connection.
func (s *Server) header(c net.Conn) (p *proxied, err error) {
	defer func() {
		if v := recover(); v != nil {
			if s.cfg.Panicked != nil {
				s.cfg.Panicked("proxy header")
			}
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return readProxy(c)
}

// readProxy reads the header of either version. For a connection of the proxy's
// own (LOCAL, UNKNOWN) the addresses stay as they are.
func readProxy(c net.Conn) (*proxied, error) {
	c.SetReadDeadline(time.Now().Add(proxyTime))
	defer c.SetReadDeadline(time.Time{})
	p := &proxied{Conn: c, remote: c.RemoteAddr(), local: c.LocalAddr()}
	r := bufio.NewReaderSize(c, maxProxyV2)
	start, err := r.Peek(len(proxyV2Sign)) // no header is shorter
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errProxy, err)
	}
	var from, to netip.AddrPort
	switch {
	case string(start) == proxyV2Sign:
		from, to, err = readProxyV2(r)
	case strings.HasPrefix(string(start), "PROXY "):
		from, to, err = readProxyV1(r)
	default:
		err = errProxy
	}
	if err != nil {
		return nil, err
	}
	if from.IsValid() {
		p.remote, p.local = net.TCPAddrFromAddrPort(from), net.TCPAddrFromAddrPort(to)
	}
	rest, _ := r.Peek(r.Buffered())
	p.rest = append([]byte(nil), rest...)
	return p, nil
}

// readProxyV1 reads a line: PROXY TCP4 source destination port port.
func readProxyV1(r *bufio.Reader) (from, to netip.AddrPort, err error) {
	var line []byte
	for len(line) < maxProxyV1 && !strings.HasSuffix(string(line), "\n") {
		b, err := r.ReadByte()
		if err != nil {
			return from, to, fmt.Errorf("%w: %w", errProxy, err)
		}
		line = append(line, b)
	}
	text, ok := strings.CutSuffix(string(line), "\r\n")
	f := strings.Split(text, " ")
	switch {
	case !ok:
		return from, to, errProxy
	case f[1] == "UNKNOWN": // whatever follows it
		return from, to, nil
	case len(f) != 6 || f[1] != "TCP4" && f[1] != "TCP6":
		return from, to, errProxy
	}
	from, err1 := addrPort(f[2], f[4], f[1])
	to, err2 := addrPort(f[3], f[5], f[1])
	if err := errors.Join(err1, err2); err != nil {
		return from, to, fmt.Errorf("%w: %w", errProxy, err)
	}
	return from, to, nil
}

func addrPort(addr, port, family string) (netip.AddrPort, error) {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return netip.AddrPort{}, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || strconv.FormatUint(n, 10) != port {
		return netip.AddrPort{}, fmt.Errorf("%q is no port", port)
	}
	if a.Is4() != (family == "TCP4") || a.Zone() != "" {
		return netip.AddrPort{}, fmt.Errorf("%q is no address of %s", addr, family)
	}
	return netip.AddrPortFrom(a, uint16(n)), nil
}

// readProxyV2 reads the binary form, section 2.2.
func readProxyV2(r *bufio.Reader) (from, to netip.AddrPort, err error) {
	var head [16]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return from, to, fmt.Errorf("%w: %w", errProxy, err)
	}
	size := int(binary.BigEndian.Uint16(head[14:]))
	if size > maxProxyV2 || head[12] != 0x20 && head[12] != 0x21 {
		return from, to, errProxy
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return from, to, fmt.Errorf("%w: %w", errProxy, err)
	}
	if head[12] == 0x20 { // LOCAL: a health check of the proxy's
		return from, to, nil
	}
	switch family := head[13]; {
	case family == 0x11 && size >= 12: // TCP over IPv4
		return addrPorts(body, 4)
	case family == 0x21 && size >= 36: // TCP over IPv6
		return addrPorts(body, 16)
	case family == 0x00 || family == 0x31: // unspecified, or a unix socket
		return from, to, nil
	}
	return from, to, errProxy
}

// addrPorts are source and destination address, n octets each, and their ports.
func addrPorts(b []byte, n int) (from, to netip.AddrPort, err error) {
	src, _ := netip.AddrFromSlice(b[:n])
	dst, _ := netip.AddrFromSlice(b[n : 2*n])
	port := binary.BigEndian.Uint16
	return netip.AddrPortFrom(src, port(b[2*n:])), netip.AddrPortFrom(dst, port(b[2*n+2:])), nil
}
