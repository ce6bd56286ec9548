package imapd

import (
	"crypto/tls"
	"encoding/base64"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/forepost/forepost/imapstore/imapd/wire"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/sasl"
)

// mayLogin tells whether a password may be sent: over TLS, from the loopback,
// or where the operator allows it.
func (s *session) mayLogin() bool {
	return s.secure || s.local || s.srv.cfg.AllowCleartext
}

// login is LOGIN (RFC 9051 section 6.2.3).
func (s *session) login() reply {
	s.dec.SP()
	user := s.dec.AString()
	s.dec.SP()
	password := s.dec.AString()
	if !s.dec.End() {
		return syntax()
	}
	return s.authorize(user, password)
}

// authenticate is AUTHENTICATE (RFC 9051 section 6.2.2), with initial responses
// (RFC 4959).
func (s *session) authenticate() reply {
	s.dec.SP()
	mech := s.dec.Word()
	initial, given := "", false
	if s.dec.Take(' ') {
		given = true
		initial = s.dec.SASL()
	}
	if !s.dec.End() {
		return syntax()
	}
	x, err := sasl.Begin(s.ctx(), mech, s.srv.cfg.Logins, s.loginClient())
	switch {
	case err != nil:
		return no("CANNOT", "That mechanism is not offered")
	case !s.mayLogin(): // before the password is asked for
		return no("PRIVACYREQUIRED", "Use STARTTLS first")
	}
	return s.exchange(x, initial, given)
}

// exchange runs a mechanism to its end.
func (s *session) exchange(x sasl.Exchange, initial string, given bool) reply {
	var response []byte
	if given {
		if initial == "=" { // an empty one, RFC 4959 section 3
			initial = ""
		}
		raw, err := base64.StdEncoding.DecodeString(initial)
		if err != nil {
			return s.malformed()
		}
		response = raw
	}
	for {
		challenge, done, err := x.Next(response)
		switch {
		case err != nil:
			return s.refused(x.User(), err)
		case done:
			return s.let(x.Identity())
		}
		var r reply
		var ok bool
		if response, r, ok = s.ask(challenge); !ok {
			return r
		}
	}
}

// ask sends a challenge and decodes what the client answers.
func (s *session) ask(challenge []byte) ([]byte, reply, bool) {
	s.enc.Line("+ ", base64.StdEncoding.EncodeToString(challenge))
	if s.enc.Flush() != nil {
		return nil, syntax(), false
	}
	s.dec.Begin()
	answer := s.dec.Line()
	switch {
	case s.dec.Err() != nil:
		return nil, syntax(), false
	case answer == "*":
		return nil, bad("Cancelled"), false // RFC 9051 section 6.2.2
	}
	raw, err := base64.StdEncoding.DecodeString(answer)
	if err != nil {
		return nil, s.malformed(), false
	}
	return raw, reply{}, true
}

// loginClient is the client as those see it who know the users.
func (s *session) loginClient() sasl.Client {
	c := sasl.Client{Protocol: "imap", Listener: s.srv.cfg.Name, ID: s.id}
	if ap, err := netip.ParseAddrPort(s.conn.RemoteAddr().String()); err == nil {
		c.IP = ap.Addr().Unmap()
	}
	if t, ok := s.conn.(*tls.Conn); ok {
		state := t.ConnectionState()
		c.TLS = &state
	}
	return c
}

func (s *session) malformed() reply {
	s.errors++
	return bad("The answer is not what the mechanism asks for")
}

// authorize is LOGIN: the name and the password themselves.
func (s *session) authorize(user, password string) reply {
	if !s.mayLogin() {
		return no("PRIVACYREQUIRED", "Use STARTTLS first")
	}
	if strings.IndexByte(user+password, 0) >= 0 {
		return s.malformed()
	}
	id, err := s.srv.cfg.Logins.Password(s.ctx(), s.loginClient(), user, password)
	if err != nil {
		return s.refused(user, err)
	}
	return s.let(id)
}

// let opens the account of one who logged in.
func (s *session) let(id mail.Identity) (r reply) {
	var err error
	if s.account, err = s.srv.cfg.Store.Account(id.User); err != nil {
		return s.cannotTell(id.User, err)
	}
	s.enter(id.User)
	return doneCode("CAPABILITY "+s.capabilities(), "Logged in")
}

// refused is the answer to a login that failed. Wrong passwords cost time, more
// each time, and maxTries of them the connection.
func (s *session) refused(user string, err error) reply {
	var later *sasl.Later
	switch {
	case errors.Is(err, sasl.ErrMalformed):
		return s.malformed()
	case errors.Is(err, sasl.ErrActing):
		return no("AUTHORIZATIONFAILED", "Nobody may act for another here")
	case errors.Is(err, sasl.ErrCredentials):
		return s.wrongPassword(user)
	case errors.As(err, &later):
		metricLogins("later").Inc()
		s.log.Warn("imap: login put off", "user", user, "reason", later.Text)
		return no("UNAVAILABLE", later.Text)
	}
	return s.cannotTell(user, err)
}

func (s *session) enter(name string) {
	metricLogins("ok").Inc()
	s.user, s.state, s.errors, s.tries = name, stateAuth, 0, 0
	s.dec.SetLimits(wire.DefaultLimits)
	s.limit.limit(s.srv.cfg.Autologout, time.Time{})
	s.log.Info("imap: login", "user", name, "tls", s.secure)
}

func (s *session) wrongPassword(user string) reply {
	metricLogins("wrong").Inc()
	s.tries++
	s.log.Warn("imap: login refused", "user", user, "tries", s.tries)
	sleep(s.ctx(), s.srv.cfg.AuthDelay*time.Duration(s.tries))
	if s.tries >= maxTries {
		s.errors = maxErrors + 1 // answered, then sent away
	}
	return no("AUTHENTICATIONFAILED", "Wrong name or password")
}

// cannotTell is what the client may try again (RFC 9051 section 7.1, UNAVAILABLE).
func (s *session) cannotTell(user string, err error) reply {
	metricLogins("error").Inc()
	s.log.Error("imap: cannot check a login", "user", user, "err", err)
	return no("UNAVAILABLE", "The account cannot be opened now; try again later")
}
