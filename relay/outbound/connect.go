package outbound

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/route"
)

// connect opens a session with a host: its addresses in turn, until one of them
// is ready to take mail. After until no further one is tried.
func (c *Client) connect(ctx context.Context, h route.Host, sec security, until time.Time) (*session, *failure) {
	if h.Unix != "" {
		return c.open(ctx, endpoint{network: "unix", addr: h.Unix, host: h.Unix}, sec, nil)
	}
	last := &failure{reply: mail.Defer(51, 4, 3, "The host "+h.Name+" has no address")}
	var es []endpoint
	for _, addr := range h.Addrs {
		es = append(es, endpoint{network: "tcp", addr: addr.String(), host: hostText(h, addr), name: certName(h, addr),
			implicit: addr.Port() == 465, from: sourceFor(sec.sources, h.Name, addr.Addr())})
	}
	for len(es) > 0 {
		i, conn, rest, fail := c.race(ctx, es)
		if fail != nil {
			return nil, fail
		}
		s, fail := c.open(ctx, es[i], sec, conn)
		if fail == nil {
			return s, nil
		}
		last, es = fail, rest
		if ctx.Err() != nil || c.o.Now().After(until) {
			break
		}
	}
	return nil, last
}

// hostText is "ex1.example.com[10.0.0.5]:25".
func hostText(h route.Host, addr netip.AddrPort) string {
	name := h.Name
	if strings.HasPrefix(name, "[") || name == addr.Addr().String() {
		name = "" // an address is all that there is
	}
	return fmt.Sprintf("%s[%s]:%d", name, addr.Addr(), addr.Port())
}

// endpoint is one place to connect to.
type endpoint struct {
	network, addr string
	host          string     // for people
	name          string     // that its certificate must have
	implicit      bool       // TLS from the first octet, RFC 8314
	from          netip.Addr // of this host; the zero Addr leaves it to the system
}

// certName is the name that a certificate is verified for: the host's, or the
// address where that is all there is.
func certName(h route.Host, addr netip.AddrPort) string {
	if strings.HasPrefix(h.Name, "[") {
		return addr.Addr().String()
	}
	return h.Name
}

// open makes a connection to an endpoint, or one that is made for it, one that mail
// can be sent over. Under the policy may a handshake that fails is
// followed by another connection in cleartext (RFC 7435): mail that could be
// read by others is what the policy asks for rather than mail that waits.
func (c *Client) open(ctx context.Context, e endpoint, sec security, conn net.Conn) (*session, *failure) {
	s, fail := c.attempt(ctx, e, sec, true, conn)
	c.record(e, sec, s, fail)
	if fail != nil && fail.handshake && !e.implicit && sec.tls == route.TLSMay && ctx.Err() == nil {
		c.o.Log.Info("TLS failed; going on in cleartext, as the route's policy allows", "host", e.host, "error", fail.reply.Text)
		clear, again := c.attempt(ctx, e, sec, false, nil)
		if again == nil {
			clear.note = "in cleartext: " + fail.reply.Text + "; " + sec.why
		}
		return clear, again
	}
	return s, fail
}

func (c *Client) attempt(ctx context.Context, e endpoint, sec security, tryTLS bool, conn net.Conn) (*session, *failure) {
	if conn == nil {
		var fail *failure
		if conn, fail = c.dial(ctx, e); fail != nil {
			return nil, fail
		}
	}
	s := newSession(conn, e.host, c.o.Now())
	s.lmtp = c.lmtp
	s.bind(ctx)
	if fail := c.prepare(ctx, s, e, sec, tryTLS); fail != nil {
		s.release()
		s.quit()
		return nil, fail
	}
	return s, nil
}

// prepare brings a connection to the point where MAIL may be said.
func (c *Client) prepare(ctx context.Context, s *session, e endpoint, sec security, tryTLS bool) *failure {
	if e.implicit {
		if fail := c.handshake(ctx, s, e, sec); fail != nil {
			return fail
		}
	}
	greeting, err := s.read(greetingTime)
	if err != nil {
		return s.lost("we waited for its greeting", err)
	}
	if !greeting.ok() {
		return s.unfit(greeting)
	}
	if fail := s.hello(c.o.Hostname); fail != nil {
		return fail
	}
	if fail := c.secure(ctx, s, e, sec, tryTLS); fail != nil {
		return fail
	}
	if sec.user != "" {
		return s.login(sec.user, sec.password)
	}
	return nil
}

// hello says EHLO, or LHLO (RFC 2033 section 4.1), and HELO where the server
// does not know EHLO (RFC 5321 section 3.2).
func (s *session) hello(name string) *failure {
	verb := "EHLO "
	if s.lmtp {
		verb = "LHLO "
	}
	resp, err := s.do(verb + name)
	if err == nil && resp.class() == 5 && !s.lmtp {
		resp, err = s.do("HELO " + name)
		if err == nil && resp.ok() {
			s.ext = nil
			return nil
		}
	}
	if err != nil {
		return s.lost("we waited for the reply to "+strings.TrimSpace(verb), err)
	}
	if !resp.ok() {
		return s.unfit(resp)
	}
	s.ext = extensions(resp.text)
	return nil
}

// unfit is the failure of a reply that is not the 2yz it should be.
func (s *session) unfit(r response) *failure {
	if r.class() == 4 || r.class() == 5 {
		return s.refused(r)
	}
	return s.lost("we asked for service", errGarbage{fmt.Sprintf("it says %d", r.code)})
}

// extensions reads the lines of a reply to EHLO below the first.
func extensions(text string) map[string]string {
	ext := map[string]string{}
	for i, line := range strings.Split(text, "\n") {
		if i == 0 {
			continue // the server's name
		}
		keyword, params, _ := strings.Cut(line, " ")
		keyword = strings.ToUpper(keyword)
		if k, mechs, ok := strings.Cut(keyword, "="); ok && k == "AUTH" { // as old servers write it
			keyword, params = k, mechs+" "+params
		}
		ext[keyword] = strings.TrimSpace(ext[keyword] + " " + params)
	}
	return ext
}
