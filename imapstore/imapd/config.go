package imapd

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/sasl"
)

// Config of a Server. Store, Logins and IDs have to be given; a zero
// elsewhere means the default.
type Config struct {
	Name     string      // of the listener, for logs
	Hostname string      // for the greeting
	TLS      *tls.Config // nil: no STARTTLS
	Implicit bool        // TLS from the first octet (port 993); needs TLS
	// AllowCleartext lets clients log in without TLS. From the loopback they may
	// always.
	AllowCleartext bool

	MaxSessions  int   // at once; default 10,000
	MaxPerClient int   // at once from one address; default 50
	AppendLimit  int64 // octets of a message that APPEND takes; default 64 MiB

	Autologout  time.Duration // silence of a client that has logged in; default 30 min, the least of RFC 9051 section 5.4
	LoginWithin time.Duration // from the connection to a login; default 2 min
	KeepAlive   time.Duration // between two signs of life in IDLE; default 2 min
	AuthDelay   time.Duration // after a wrong password, times the number of tries; default 1 s

	Store  imapstore.Store
	Logins sasl.Logins // User of an identity is the name of an account of Store
	IDs    *mail.IDs
	Now    func() time.Time // default time.Now; deadlines of connections are made from it
	Log    *slog.Logger     // default slog.Default()
}

func (c *Config) check() error {
	switch {
	case c.Store == nil || c.Logins == nil || c.IDs == nil:
		return errors.New("imapd: Config needs Store, Logins and IDs")
	case c.Implicit && c.TLS == nil:
		return errors.New("imapd: implicit TLS needs a certificate: set Config.TLS")
	}
	return nil
}

func (c *Config) defaults() {
	orInt(&c.MaxSessions, 10_000)
	orInt(&c.MaxPerClient, 50)
	orInt(&c.AppendLimit, 64<<20)
	orInt(&c.Autologout, 30*time.Minute)
	orInt(&c.LoginWithin, 2*time.Minute)
	orInt(&c.KeepAlive, 2*time.Minute)
	orInt(&c.AuthDelay, time.Second)
	if c.Hostname == "" {
		c.Hostname = "localhost"
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.Default()
	}
}

func orInt[T ~int | ~int64](v *T, def T) {
	if *v == 0 {
		*v = def
	}
}
