package inbound

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/sasl"
)

// XCLIENT, as Postfix's XCLIENT_README has it: a server in front of us, from a
// network of Config.XClient, says for whom it speaks. The session begins anew
// with that client, from the greeting on, and all that holds for clients holds
// for it: stage Connect is asked again, and who may relay is found out again.
// Whether XCLIENT is taken is always a matter of the connection's own address.

const xclientKeyword = "XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"

// Identifier is a Directory that knows users without their passwords, whom a
// trusted server authenticated (XCLIENT LOGIN).
type Identifier interface {
	// Identify finds a user; sasl.ErrCredentials means that there is none.
	Identify(ctx context.Context, user string) (mail.Identity, error)
}

// claim is who the client is, as the server in front of us has said so far. Each
// XCLIENT adds to it.
type claim struct {
	client netip.Addr
	name   string // of the client in the DNS
	helo   string // what it said in HELO or EHLO; "": what is said to us
	proto  string // SMTP or ESMTP; "": by HELO or EHLO that is said to us
	login  string
}

// Values that are not known (XCLIENT_README).
const (
	unavailable = "[UNAVAILABLE]"
	tempUnavail = "[TEMPUNAVAIL]"
)

var errClaim = errors.New("syntax: XCLIENT name=value, one or more with spaces between")

// parse adds the arguments of a command to the claim.
func (c *claim) parse(arg string) error {
	fields := strings.Fields(arg)
	if len(fields) == 0 {
		return errClaim
	}
	for _, f := range fields {
		name, coded, ok := strings.Cut(f, "=")
		if !ok {
			return errClaim
		}
		value, err := unXtext(coded)
		if err == nil {
			err = c.set(strings.ToUpper(name), value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// set sets one attribute.
func (c *claim) set(name, value string) (err error) {
	unknown := strings.EqualFold(value, unavailable) || strings.EqualFold(value, tempUnavail)
	if unknown {
		value = ""
	}
	switch name {
	case "ADDR":
		c.client = netip.Addr{}
		if !unknown {
			c.client, err = claimedAddr(value)
		}
	case "NAME":
		c.name = value
		if !unknown && heloName(value) != value {
			err = fmt.Errorf("%q is no name of a client", value)
		}
	case "HELO":
		c.helo = value
		if len(value) > maxName || !unknown && value == "" {
			err = errors.New("the value of HELO is empty or too long")
		}
	case "PROTO":
		c.proto = strings.ToUpper(value)
		if !unknown && c.proto != "SMTP" && c.proto != "ESMTP" {
			err = fmt.Errorf("%q is neither SMTP nor ESMTP", value)
		}
	case "LOGIN":
		c.login = value
	case "PORT", "DESTPORT": // of no use to anybody here
		if _, e := strconv.ParseUint(value, 10, 16); e != nil && !unknown {
			err = fmt.Errorf("%q is no port", value)
		}
	case "DESTADDR":
		if !unknown {
			_, err = claimedAddr(value)
		}
	default:
		err = fmt.Errorf("%q is not an attribute of XCLIENT here", name)
	}
	return err
}

// claimedAddr is an IPv4 address, or an IPv6 address behind IPV6: or as it is.
func claimedAddr(s string) (netip.Addr, error) {
	const prefix = "IPV6:"
	if len(s) > len(prefix) && strings.EqualFold(s[:len(prefix)], prefix) {
		s = s[len(prefix):]
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("%q is no address", s)
	}
	return a.Unmap(), nil
}

// unXtext undoes xtext, RFC 3461 section 4. What it hides may not be a control
// character: it would go into log lines and fields.
func unXtext(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '+' {
			n, err := strconv.ParseUint(s[min(i+1, len(s)):min(i+3, len(s))], 16, 8)
			if err != nil || i+3 > len(s) {
				return "", fmt.Errorf("%q is no xtext", s)
			}
			c, i = byte(n), i+2
		}
		if c < ' ' || c >= 0x7f {
			return "", errors.New("a value has characters that do not belong there")
		}
		b.WriteByte(c)
	}
	return b.String(), nil
}

// mayClaim tells whether the connection comes from one who may say XCLIENT.
func (s *session) mayClaim() bool { return within(s.cfg.XClient, s.conn.client) }

// xclient is the command. Where anew is true the session has begun anew, with a
// greeting or, where r is not zero, with a refusal of that client.
func (s *session) xclient(arg string) (r mail.Reply, anew bool) {
	if !s.mayClaim() {
		s.log.Warn("XCLIENT from a network that xclient does not name was refused", "id", s.name())
		return mail.Refuse(50, 7, 0, "XCLIENT is not taken from here"), false
	}
	if s.tx != nil {
		return mail.Refuse(3, 5, 1, "A transaction is open: RSET ends it"), false
	}
	c := s.claim
	if err := c.parse(arg); err != nil {
		return mail.Refuse(1, 5, 4, "XCLIENT: "+err.Error()), false
	}
	id, r := s.claimed(c.login)
	if !r.IsZero() {
		return r, false
	}
	s.claim = c
	s.log.Info("a client was named by XCLIENT", "id", s.name(), "named", c.client.String(), "login", c.login)
	s.anew(id)
	return s.connect(), true
}

// claimed finds who logged in at the server in front of us.
func (s *session) claimed(login string) (id mail.Identity, r mail.Reply) {
	if login == "" {
		return id, r
	}
	known, ok := s.cfg.Directory.(Identifier)
	if !ok {
		return id, mail.Refuse(1, 5, 4, "XCLIENT: LOGIN means nothing here")
	}
	id, err := known.Identify(s.ctx, login)
	switch {
	case errors.Is(err, sasl.ErrCredentials):
		return id, mail.Refuse(35, 7, 8, "XCLIENT: there is no such user")
	case err != nil:
		s.log.Error("a user named by XCLIENT could not be looked up", "id", s.name(), "user", login, "error", err)
		return id, mail.Defer(54, 7, 0, "The user cannot be looked up now, try again later")
	}
	return id, r
}

// anew is the session of the claimed client, of which nothing is known yet.
func (s *session) anew(id mail.Identity) {
	old := s.ps
	s.cancel()
	s.ctx, s.cancel = context.WithCancel(dns.WithBudget(s.conn.srv.stop, pipeline.MaxQuestions))
	s.ps = &pipeline.Session{ID: old.ID, Start: old.Start, Listener: old.Listener, TLS: old.TLS,
		Client: s.claim.client, ClientName: s.claim.name, Trusted: within(s.cfg.RelayFrom, s.claim.client), Auth: id}
	s.ip = s.claim.client.String()
	s.log = s.cfg.Log.With("client", s.ip, "proxy", s.conn.client.String())
	s.connected, s.greeted, s.current = nil, nil, ""
}

// introduced is what the client said in HELO or EHLO, to us or, as a server in
// front of us tells, to that.
func (s *session) introduced(verb, name string) (helo string, esmtp bool) {
	helo, esmtp = name, verb != "HELO"
	if s.claim.helo != "" {
		helo = s.claim.helo
	}
	if s.claim.proto != "" {
		esmtp = s.claim.proto == "ESMTP"
	}
	return helo, esmtp
}

// within tells whether one of the networks has an address.
func within(nets []netip.Prefix, a netip.Addr) bool {
	for _, n := range nets {
		if n.Contains(a) {
			return true
		}
	}
	return false
}
