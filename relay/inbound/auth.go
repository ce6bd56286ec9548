package inbound

import (
	"errors"

	gosasl "github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/sasl"
)

// loginClient is the client as those see it who know the users. Whom an
// XCLIENT names is not the one at the other end of our TLS.
func (s *session) loginClient() sasl.Client {
	c := sasl.Client{Protocol: "smtp", Listener: s.cfg.Name, IP: s.ps.Client, ID: s.ps.ID}
	if s.ps.Client == s.conn.client {
		c.TLS = s.tls
	}
	return c
}

// AuthMechanisms implements smtp.AuthSession: what AUTH offers here.
func (s *session) AuthMechanisms() []string { return sasl.Offer(s.cfg.Logins, s.loginClient()) }

// Auth implements smtp.AuthSession.
func (s *session) Auth(mech string) (gosasl.Server, error) {
	if s.tx != nil { // RFC 4954 section 4
		return nil, said(mail.Refuse(3, 5, 1, "AUTH is not allowed in a transaction"))
	}
	x, err := sasl.Begin(s.ctx, mech, s.cfg.Logins, s.loginClient())
	if err != nil {
		return nil, smtp.ErrAuthUnknownMechanism
	}
	return &authentication{s, x, mech}, nil
}

// authentication is an exchange as go-smtp runs it.
type authentication struct {
	s    *session
	x    sasl.Exchange
	mech string
}

// Next implements gosasl.Server. Passwords go nowhere but to Logins.
func (a *authentication) Next(response []byte) (challenge []byte, done bool, err error) {
	defer a.s.guard(&err)
	challenge, done, err = a.x.Next(response)
	switch {
	case err != nil:
		return nil, false, said(a.s.unauthenticated(a.x.User(), a.mech, err))
	case done:
		a.s.authenticated(a.x.Identity(), a.mech)
	}
	return challenge, done, nil
}

func (s *session) authenticated(id mail.Identity, mech string) {
	s.ps.Auth = id
	s.log.Info("authenticated", "id", s.name(), "user", id.User, "mechanism", mech)
}

// unauthenticated is the answer to AUTH that failed, RFC 4954 sections 4 and 6.
func (s *session) unauthenticated(user, mech string, err error) mail.Reply {
	var later *sasl.Later
	switch {
	case errors.Is(err, sasl.ErrMalformed):
		return mail.Refuse(1, 5, 2, "The response is not of the form that the mechanism asks for")
	case errors.Is(err, sasl.ErrActing):
		return mail.Refuse(35, 7, 8, "Acting for another user is not possible")
	case errors.Is(err, sasl.ErrCredentials):
		s.log.Warn("authentication refused", "id", s.name(), "user", user, "mechanism", mech)
		return mail.Refuse(35, 7, 8, "The user name or the password is wrong")
	case errors.As(err, &later):
		s.log.Warn("authentication put off", "id", s.name(), "user", user, "mechanism", mech, "reason", later.Text)
		return mail.Defer(54, 7, 0, later.Text)
	}
	s.log.Error("authentication failed", "id", s.name(), "user", user, "mechanism", mech, "error", err)
	return mail.Defer(54, 7, 0, "Authentication is not possible now, try again later")
}
