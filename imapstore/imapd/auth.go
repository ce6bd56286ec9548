package imapd

import (
	"encoding/base64"
	"errors"
	"strings"
	"time"

	"github.com/forepost/forepost/imapstore/accounts"
	"github.com/forepost/forepost/imapstore/imapd/wire"
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

// authenticate is AUTHENTICATE (RFC 9051 section 6.2.2) with PLAIN (RFC 4616)
// and LOGIN, and initial responses (RFC 4959).
func (s *session) authenticate() reply {
	s.dec.SP()
	mech := s.dec.Word()
	initial, given := "", false
	if s.dec.Take(' ') {
		given = true
		initial = s.dec.SASL()
	}
	switch {
	case !s.dec.End():
		return syntax()
	case mech != "PLAIN" && mech != "LOGIN":
		return no("CANNOT", "That mechanism is not offered")
	case !s.mayLogin(): // before the password is asked for
		return no("PRIVACYREQUIRED", "Use STARTTLS first")
	case mech == "PLAIN":
		return s.saslPlain(initial, given)
	}
	return s.saslLogin(initial, given)
}

func (s *session) saslPlain(initial string, given bool) reply {
	raw, r, ok := s.saslStep("", initial, given)
	if !ok {
		return r
	}
	f := strings.Split(raw, "\x00")
	if len(f) != 3 {
		return s.malformed()
	}
	if f[0] != "" && !strings.EqualFold(f[0], f[1]) {
		return no("AUTHORIZATIONFAILED", "Nobody may act for another here")
	}
	return s.authorize(f[1], f[2])
}

func (s *session) saslLogin(initial string, given bool) reply {
	user, r, ok := s.saslStep("Username:", initial, given)
	if !ok {
		return r
	}
	password, r, ok := s.saslStep("Password:", "", false)
	if !ok {
		return r
	}
	return s.authorize(user, password)
}

// saslStep asks, unless the answer was given with the command, and decodes it.
func (s *session) saslStep(challenge, answer string, given bool) (string, reply, bool) {
	if !given {
		s.enc.Line("+ ", base64.StdEncoding.EncodeToString([]byte(challenge)))
		if s.enc.Flush() != nil {
			return "", syntax(), false
		}
		s.dec.Begin()
		if answer = s.dec.Line(); s.dec.Err() != nil {
			return "", syntax(), false
		}
	}
	if answer == "*" {
		return "", bad("Cancelled"), false // RFC 9051 section 6.2.2
	}
	if given && answer == "=" { // an empty initial response, RFC 4959 section 3
		answer = ""
	}
	raw, err := base64.StdEncoding.DecodeString(answer)
	if err != nil {
		return "", s.malformed(), false
	}
	return string(raw), reply{}, true
}

func (s *session) malformed() reply {
	s.errors++
	return bad("The answer is not what the mechanism asks for")
}

// authorize checks the password and opens the account. Wrong ones cost time,
// more each time, and maxTries of them the connection.
func (s *session) authorize(user, password string) reply {
	if !s.mayLogin() {
		return no("PRIVACYREQUIRED", "Use STARTTLS first")
	}
	if strings.IndexByte(user+password, 0) >= 0 {
		return s.malformed()
	}
	a, err := s.srv.cfg.Accounts.Authenticate(s.ctx(), user, password)
	switch {
	case errors.Is(err, accounts.ErrCredentials):
		return s.wrongPassword(user)
	case err != nil:
		return s.cannotTell(user, err)
	}
	if s.account, err = s.srv.cfg.Store.Account(a.Name); err != nil {
		return s.cannotTell(user, err)
	}
	s.enter(a.Name)
	return doneCode("CAPABILITY "+s.capabilities(), "Logged in")
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
