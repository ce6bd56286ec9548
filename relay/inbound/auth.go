package inbound

import (
	"bytes"
	"errors"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"github.com/forepost/forepost/relay/mail"
)

// Auth implements smtp.AuthSession.
func (s *session) Auth(mech string) (sasl.Server, error) {
	if s.tx != nil { // RFC 4954 section 4
		return nil, said(mail.Refuse(3, 5, 1, "AUTH is not allowed in a transaction"))
	}
	check := func(user, password string) (err error) {
		defer s.guard(&err)
		return said(s.authenticate(user, password))
	}
	switch mech {
	case sasl.Plain:
		return &plainServer{check: check}, nil
	case sasl.Login:
		return &loginServer{check: check}, nil
	}
	return nil, smtp.ErrAuthUnknownMechanism
}

// authenticate asks the directory. The password goes nowhere else.
func (s *session) authenticate(user, password string) mail.Reply {
	id, err := s.cfg.Directory.Authenticate(s.ctx, user, password)
	switch {
	case err == nil:
		authAttempts.WithLabelValues("smtp", "ok").Inc()
		s.ps.Auth = id
		s.log.Info("authenticated", "id", s.name(), "user", id.User)
		return mail.Reply{}
	case errors.Is(err, ErrCredentials):
		authAttempts.WithLabelValues("smtp", "refused").Inc()
		s.log.Warn("authentication refused", "id", s.name(), "user", user)
		return mail.Refuse(35, 7, 8, "The user name or the password is wrong")
	}
	authAttempts.WithLabelValues("smtp", "error").Inc()
	s.log.Error("authentication failed", "id", s.name(), "user", user, "error", err)
	return mail.Defer(54, 7, 0, "Authentication is not possible now, try again later")
}

// errSASL is an answer to a challenge that cannot be read.
var errSASL = said(mail.Refuse(1, 5, 2, "The response is not of the form that the mechanism asks for"))

// plainServer is RFC 4616. Nobody can act for another.
type plainServer struct {
	check func(user, password string) error
}

// Next implements sasl.Server.
func (p *plainServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil {
		return nil, false, nil
	}
	parts := bytes.Split(response, []byte{0})
	if len(parts) != 3 || len(parts[1]) == 0 {
		return nil, false, errSASL
	}
	if user := parts[0]; len(user) > 0 && !bytes.Equal(user, parts[1]) {
		return nil, false, said(mail.Refuse(35, 7, 8, "Acting for another user is not possible"))
	}
	return nil, true, p.check(string(parts[1]), string(parts[2]))
}

// loginServer is draft-murchison-sasl-login, which old clients want.
type loginServer struct {
	check func(user, password string) error
	user  []byte
	asked int
}

// Next implements sasl.Server.
func (l *loginServer) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil {
		return []byte("Username:"), false, nil
	}
	if l.asked++; l.asked == 1 {
		if len(response) == 0 {
			return nil, false, errSASL
		}
		l.user = bytes.Clone(response)
		return []byte("Password:"), false, nil
	}
	return nil, true, l.check(string(l.user), string(response))
}
