package ldap

import (
	"context"
	"errors"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-ldap/ldap/v3"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/sasl"
)

// What a name and a password may be at most, in octets.
const (
	maxName     = 320
	maxPassword = 1024
)

// Logins lets the people of a source log in, with PLAIN and LOGIN.
func (c *Client) Logins(s Source) sasl.Logins {
	return sasl.Passwords(func(ctx context.Context, user, password string) (mail.Identity, error) {
		return c.login(ctx, s, user, password)
	})
}

// login searches for the name and binds as what was found.
func (c *Client) login(ctx context.Context, s Source, user, password string) (id mail.Identity, err error) {
	if !nameable(user) || password == "" || len(password) > maxPassword || strings.IndexByte(password, 0) >= 0 {
		return id, sasl.ErrCredentials
	}
	attrs := s.Attrs
	if len(attrs) == 0 {
		attrs = nameAttrs
	}
	found, err := c.search(ctx, s, "(&"+s.Filter+named(attrs, user)+")", addressAttrs, 2)
	if err != nil {
		return id, err
	}
	var e *ldap.Entry
	switch len(found) {
	case 1:
		e = found[0]
	case 0:
		return id, c.nobody(ctx, s, password)
	default:
		c.o.Log.Error("a login was refused, since two entries of the directory have its name", "user", user, "first", found[0].DN, "second", found[1].DN)
		return id, c.nobody(ctx, s, password)
	}
	if err := c.bind(ctx, e.DN, password); err != nil {
		return id, credentials(err)
	}
	id.Addresses = addressesOf(e, addressAttrs)
	id.User = strings.ToLower(user)
	if len(id.Addresses) > 0 {
		id.User = id.Addresses[0].Key()
	}
	return id, nil
}

// nobody takes as long as a wrong password, by a bind that cannot succeed.
func (c *Client) nobody(ctx context.Context, s Source, password string) error {
	base, err := c.baseOf(ctx, s)
	if err == nil {
		err = c.bind(ctx, "cn=nobody of that name,"+base, password)
	}
	if err = credentials(err); err == nil {
		return sasl.ErrCredentials // it did: somebody has an odd directory
	}
	return err
}

func credentials(err error) error {
	if errors.Is(err, errWrong) {
		return sasl.ErrCredentials
	}
	return err
}

// nameable tells whether a name can be one: what cannot is not asked for.
func nameable(user string) bool {
	return user != "" && len(user) <= maxName && utf8.ValidString(user) && !strings.ContainsFunc(user, unicode.IsControl)
}

// named is the filter for one of attributes being a name. The name is escaped:
// it is a value, whatever is in it (RFC 4515 section 3).
func named(attrs []string, user string) string {
	v := ldap.EscapeFilter(user)
	var b strings.Builder
	b.WriteString("(|")
	for _, a := range attrs {
		b.WriteString("(" + a + "=")
		if isProxy(a) {
			b.WriteString("smtp:")
		}
		b.WriteString(v + ")")
	}
	b.WriteString(")")
	return b.String()
}
