package dns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	mdns "github.com/miekg/dns"
)

// udpSize is the size of answer that we offer to take over UDP: what passes
// everywhere without fragments (DNS flag day 2020).
const udpSize = 1232

// exchange asks one server one question. Every error is an *Error of Kind
// Temporary or Bogus; an answer is NOERROR or NXDOMAIN.
func exchange(ctx context.Context, addr, name string, qtype uint16, timeout time.Duration) (*mdns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	q := question(name, qtype)
	msg, err := roundTrip(ctx, "udp", addr, q)
	if err == nil && (msg.Rcode == mdns.RcodeFormatError || msg.Rcode == mdns.RcodeNotImplemented) {
		q.Extra = nil // an old server that does not know EDNS0, RFC 6891 section 7
		msg, err = roundTrip(ctx, "udp", addr, q)
	}
	if err == nil && msg.Truncated {
		msg, err = roundTrip(ctx, "tcp", addr, q)
	}
	if err != nil {
		return nil, failure(name, qtype, addr, err)
	}
	if msg.Rcode != mdns.RcodeSuccess && msg.Rcode != mdns.RcodeNameError {
		return nil, refusal(name, qtype, addr, msg)
	}
	return msg, nil
}

func question(name string, qtype uint16) *mdns.Msg {
	q := new(mdns.Msg)
	q.SetQuestion(name, qtype)
	q.AuthenticatedData = true // we understand the AD bit, RFC 6840 section 5.7
	q.SetEdns0(udpSize, false)
	return q
}

// roundTrip sends a question with a new ID from a new port and waits for its
// answer. What comes with another ID or question is from somebody else, or
// late, and is not read any further (RFC 5452 section 9.1).
func roundTrip(ctx context.Context, network, addr string, q *mdns.Msg) (*mdns.Msg, error) {
	q.Id = mdns.Id()
	client := mdns.Client{Net: network}
	conn, err := client.DialContext(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	// The library knows deadlines only, not the end of a context.
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	conn.UDPSize = udpSize
	if err := conn.WriteMsg(q); err != nil {
		return nil, err
	}
	for {
		m, err := conn.ReadMsg()
		if m != nil && m.Id == q.Id && (err != nil || m.Response && sameQuestion(m, q)) {
			return m, err
		}
		// Over UDP anybody can send a runt: only the network's own errors end it.
		var ne net.Error
		if err != nil && (network == "tcp" || errors.As(err, &ne)) {
			return nil, err
		}
	}
}

// sameQuestion tells whether m answers q. An error answer may leave the
// question out.
func sameQuestion(m, q *mdns.Msg) bool {
	if len(m.Question) == 0 {
		return m.Rcode != mdns.RcodeSuccess && m.Rcode != mdns.RcodeNameError
	}
	a, b := m.Question[0], q.Question[0]
	return len(m.Question) == 1 && a.Qtype == b.Qtype && a.Qclass == b.Qclass && strings.EqualFold(a.Name, b.Name)
}

func failure(name string, qtype uint16, addr string, err error) error {
	var ne net.Error
	e := &Error{Kind: Temporary, Name: name, Type: qtype, Text: fmt.Sprintf("server %s: %v", addr, err)}
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &ne) && ne.Timeout() {
		e.Timeout, e.Text = true, "server "+addr+" did not answer in time"
	}
	return e
}

// refusal is the error for an answer that is no answer. A validating server
// tells by an extended error that the data are bogus (RFC 8914 section 4).
func refusal(name string, qtype uint16, addr string, msg *mdns.Msg) error {
	e := &Error{Kind: Temporary, Name: name, Type: qtype, Text: fmt.Sprintf("server %s said %s", addr, mdns.RcodeToString[msg.Rcode])}
	if opt := msg.IsEdns0(); opt != nil {
		for _, o := range opt.Option {
			if ede, ok := o.(*mdns.EDNS0_EDE); ok && isBogus(ede.InfoCode) {
				e.Kind, e.Text = Bogus, e.Text+": DNSSEC validation failed"
			}
		}
	}
	return e
}

func isBogus(code uint16) bool {
	return code >= mdns.ExtendedErrorCodeDNSBogus && code <= mdns.ExtendedErrorCodeNSECMissing
}
