package sasl

import (
	"bytes"
	"strings"
)

// plain is RFC 4616.
type plain struct{ run }

// Next implements Exchange.
func (p *plain) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil {
		return nil, false, nil
	}
	parts := bytes.Split(response, []byte{0})
	if len(parts) != 3 || len(parts[1]) == 0 {
		return nil, false, ErrMalformed
	}
	p.user = string(parts[1])
	if !itself(string(parts[0]), p.user) {
		return nil, false, ErrActing
	}
	return p.password(string(parts[2]))
}

// itself tells whether an authorization identity is none, or the user's own name.
func itself(authz, user string) bool { return authz == "" || strings.EqualFold(authz, user) }

// login is draft-murchison-sasl-login, which old clients want.
type login struct {
	run
	asked int
}

// Next implements Exchange.
func (l *login) Next(response []byte) (challenge []byte, done bool, err error) {
	if response == nil {
		return []byte("Username:"), false, nil
	}
	if bytes.IndexByte(response, 0) >= 0 {
		return nil, false, ErrMalformed
	}
	if l.asked++; l.asked == 1 {
		if len(response) == 0 {
			return nil, false, ErrMalformed
		}
		l.user = string(response)
		return []byte("Password:"), false, nil
	}
	return l.password(string(response))
}
