// Package sasl is the server's side of SASL (RFC 4422): the mechanisms that
// SMTP, IMAP and POP3 offer alike. It knows no protocol's framing and no users.
package sasl

import (
	"context"
	"crypto/tls"
	"errors"
	"net/netip"
	"slices"

	"github.com/forepost/forepost/relay/mail"
)

// The mechanisms.
const (
	Plain     = "PLAIN"
	Login     = "LOGIN"
	SCRAM     = "SCRAM-SHA-256"
	SCRAMPlus = "SCRAM-SHA-256-PLUS"
)

// Errors of an Exchange and of Logins. Any other error, apart from *Later, means
// that nobody could tell.
var (
	ErrCredentials = errors.New("the user name or the password is wrong")
	ErrMalformed   = errors.New("the response is not of the form that the mechanism asks for")
	ErrActing      = errors.New("acting for another user is not possible")
	ErrUnknown     = errors.New("the mechanism is not offered")
)

// Later is a refusal without a look at the password: the client may come again.
type Later struct{ Text string }

// Error is the text, which the client sees.
func (l *Later) Error() string { return l.Text }

// Client is who wants to log in, and over what.
type Client struct {
	Protocol string // smtp, imap, pop3
	Listener string
	IP       netip.Addr           // not valid for a unix socket
	ID       mail.ID              // of the session
	TLS      *tls.ConnectionState // nil without TLS
}

// Keys are what a server keeps of a password for SCRAM-SHA-256, RFC 5802
// section 3.
type Keys struct {
	Iterations                 int
	Salt, StoredKey, ServerKey []byte
}

// Logins knows users. It is safe for concurrent use.
type Logins interface {
	// SCRAM tells whether Keys can be had: a directory server has none.
	SCRAM() bool
	// Password checks a name and a password: ErrCredentials, or *Later. It takes
	// the same time whether the name is known or not.
	Password(ctx context.Context, c Client, user, password string) (mail.Identity, error)
	// Keys are those of a name; for one that nobody has, plausible ones, the same
	// each time. An error is *Later, or that nobody could tell.
	Keys(ctx context.Context, c Client, user string) (Keys, error)
	// Proved is told how an exchange of SCRAM ended: whether the client has shown
	// that it knows the password behind the Keys. If that was right, and the user
	// may come in, it says who that is; ErrCredentials.
	Proved(ctx context.Context, c Client, user string, right bool) (mail.Identity, error)
}

// Exchange is one run of a mechanism. It is used by one goroutine.
type Exchange interface {
	// Next takes what the client said (nil where there was no initial response)
	// and gives the next challenge, or done. After an error the exchange is over.
	Next(response []byte) (challenge []byte, done bool, err error)
	// User is the name that the client gave, as far as it came.
	User() string
	// Identity is who it is, once done.
	Identity() mail.Identity
}

// Offer is the list of mechanisms for a client, the best last, as a server
// announces them.
func Offer(l Logins, c Client) []string {
	list := []string{Plain, Login}
	if l.SCRAM() {
		list = append(list, SCRAM)
		if canBind(c.TLS) {
			list = append(list, SCRAMPlus)
		}
	}
	return list
}

// Begin begins an exchange; ErrUnknown for a mechanism that is not in Offer. mech
// is in upper case. ctx is good for the whole exchange.
func Begin(ctx context.Context, mech string, l Logins, c Client) (Exchange, error) {
	if !slices.Contains(Offer(l, c), mech) {
		return nil, ErrUnknown
	}
	r := run{ctx: ctx, logins: l, client: c}
	switch mech {
	case Plain:
		return &plain{run: r}, nil
	case Login:
		return &login{run: r}, nil
	}
	return &scram{run: r, plus: mech == SCRAMPlus}, nil
}

// run is what all mechanisms have.
type run struct {
	ctx    context.Context
	logins Logins
	client Client
	user   string
	id     mail.Identity
}

// User implements Exchange.
func (r *run) User() string { return r.user }

// Identity implements Exchange.
func (r *run) Identity() mail.Identity { return r.id }

// password ends an exchange in which the password itself was sent.
func (r *run) password(password string) (challenge []byte, done bool, err error) {
	r.id, err = r.logins.Password(r.ctx, r.client, r.user, password)
	return nil, err == nil, err
}

// Passwords makes Logins of a function that checks passwords and nothing else.
type Passwords func(ctx context.Context, user, password string) (mail.Identity, error)

// SCRAM implements Logins.
func (Passwords) SCRAM() bool { return false }

// Password implements Logins.
func (p Passwords) Password(ctx context.Context, _ Client, user, password string) (mail.Identity, error) {
	return p(ctx, user, password)
}

// Keys implements Logins.
func (Passwords) Keys(context.Context, Client, string) (Keys, error) { return Keys{}, ErrUnknown }

// Proved implements Logins.
func (Passwords) Proved(context.Context, Client, string, bool) (mail.Identity, error) {
	return mail.Identity{}, ErrUnknown
}
