package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	mdns "github.com/miekg/dns"
)

// Server answers DNS questions over UDP and TCP from a Resolver, mostly a Zone:
// a real server on loopback for the demo and for tests. It is no server for the
// open internet: it has no limits on who may ask how much.
type Server struct {
	under Resolver
	udp   *mdns.Server
	tcp   *mdns.Server
	addr  string
}

// serverTime bounds the work on one question.
const serverTime = 10 * time.Second

// NewServer makes a server; Start lets it answer.
func NewServer(r Resolver) *Server { return &Server{under: r} }

// Start listens on an address ("127.0.0.1:0" finds a free port, the same for
// UDP and TCP) and answers until Close.
func (s *Server) Start(addr string) error {
	l, pc, err := listenBoth(addr)
	if err != nil {
		return fmt.Errorf("dns server: %w", err)
	}
	s.addr = l.Addr().String()
	h := mdns.HandlerFunc(s.handle)
	s.tcp = &mdns.Server{Listener: l, Handler: h}
	s.udp = &mdns.Server{PacketConn: pc, Handler: h, UDPSize: mdns.DefaultMsgSize}
	for _, srv := range []*mdns.Server{s.tcp, s.udp} {
		ready := make(chan struct{})
		srv.NotifyStartedFunc = func() { close(ready) }
		go srv.ActivateAndServe() // ends with Close; the sockets stand already
		<-ready
	}
	return nil
}

// listenBoth finds a port that is free for both; with port 0 the first choice
// may not be.
func listenBoth(addr string) (l net.Listener, pc net.PacketConn, err error) {
	for range 10 {
		if l, err = net.Listen("tcp", addr); err != nil {
			return nil, nil, err
		}
		if pc, err = net.ListenPacket("udp", l.Addr().String()); err == nil {
			return l, pc, nil
		}
		l.Close()
	}
	return nil, nil, err
}

// Addr is the address that Start found: "127.0.0.1:40213".
func (s *Server) Addr() string { return s.addr }

// Close stops answering.
func (s *Server) Close() error {
	if s.tcp == nil {
		return nil
	}
	return errors.Join(s.tcp.Shutdown(), s.udp.Shutdown())
}

func (s *Server) handle(w mdns.ResponseWriter, q *mdns.Msg) {
	ctx, cancel := context.WithTimeout(context.Background(), serverTime)
	defer cancel()
	m := new(mdns.Msg)
	m.SetReply(q)
	m.Authoritative, m.RecursionAvailable = true, true
	if opt := q.IsEdns0(); opt != nil {
		m.SetEdns0(udpSize, false)
	}
	if !s.answer(ctx, m, q.Question[0]) {
		return // a server that times out says nothing
	}
	if w.LocalAddr().Network() == "udp" {
		size := mdns.MinMsgSize
		if opt := q.IsEdns0(); opt != nil {
			size = int(opt.UDPSize())
		}
		m.Truncate(size)
	} else {
		m.Truncate(mdns.MaxMsgSize)
	}
	w.WriteMsg(m) // the client is gone if this fails
}

// answer fills m; false is the failure of not answering.
func (s *Server) answer(ctx context.Context, m *mdns.Msg, q mdns.Question) bool {
	name, err := canonical(q.Name, q.Qtype)
	if q.Qclass != mdns.ClassINET || err != nil {
		m.Rcode = mdns.RcodeRefused
		return true
	}
	a, err := s.under.Query(ctx, name, q.Qtype)
	m.AuthenticatedData = a.Authentic
	var e *Error
	switch {
	case err == nil:
		m.Answer = append(s.aliases(ctx, name, a.RRs), a.RRs...)
	case !errors.As(err, &e) || e.Kind == Temporary && !e.Timeout || e.Kind == Budget:
		m.Rcode = mdns.RcodeServerFailure
	case e.Timeout:
		return false
	case e.Kind == Bogus:
		m.Rcode = mdns.RcodeServerFailure
		if opt := m.IsEdns0(); opt != nil {
			opt.Option = append(opt.Option, &mdns.EDNS0_EDE{InfoCode: mdns.ExtendedErrorCodeDNSBogus})
		}
	default:
		if e.Kind == NXDomain {
			m.Rcode = mdns.RcodeNameError
		}
		m.Ns = []mdns.RR{absence(e.TTL)}
	}
	return true
}

// aliases are the CNAMEs that lead from a name to the owner of its records.
func (s *Server) aliases(ctx context.Context, name string, rrs []mdns.RR) (out []mdns.RR) {
	for range maxChain {
		if rrs[0].Header().Name == name {
			break
		}
		a, err := s.under.Query(ctx, name, mdns.TypeCNAME)
		if err != nil {
			break
		}
		c, ok := a.RRs[0].(*mdns.CNAME)
		if !ok {
			break
		}
		out, name = append(out, c), mdns.CanonicalName(c.Target)
	}
	return out
}

// absence is the SOA that says how long there is nothing, RFC 2308 section 3.
func absence(ttl time.Duration) mdns.RR {
	secs := uint32(ttl / time.Second)
	return &mdns.SOA{
		Hdr: mdns.RR_Header{Name: ".", Rrtype: mdns.TypeSOA, Class: mdns.ClassINET, Ttl: secs},
		Ns:  "ns.invalid.", Mbox: "hostmaster.invalid.", Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, Minttl: secs,
	}
}
