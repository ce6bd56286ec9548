package inbound

import (
	"errors"
	"log/slog"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// withDefaults fills in what a Config leaves open.
func (c Config) withDefaults() Config {
	or(&c.MaxSize, 50<<20)
	or(&c.MaxRecipients, 1000)
	or(&c.MaxLine, 2000)
	or(&c.MaxReceived, 50)
	or(&c.MaxSessions, 1000)
	or(&c.MaxPerClient, 50)
	or(&c.MaxPerNetwork, 200)
	or(&c.NetworkV4, 24)
	or(&c.NetworkV6, 64)
	or(&c.MaxErrors, 20)
	or(&c.Idle, 5*time.Minute)
	or(&c.DataTime, 3*time.Minute)
	or(&c.restAfter, restAfter)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.IDs == nil {
		c.IDs = mail.NewIDs(c.Hostname, c.Now)
	}
	if c.newParser == nil {
		c.newParser = newParser
	}
	return c
}

func or[T int | int64 | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// check tells what a Config cannot do without.
func (c Config) check() error {
	switch {
	case c.Hostname == "":
		return errors.New("inbound: a listener needs a hostname")
	case c.Policies == nil || c.Directory == nil || c.Spool == nil || c.Trail == nil || c.Quarantine == nil:
		return errors.New("inbound: Policies, Directory, Spool, Trail and Quarantine must be set")
	case c.Auth && c.Logins == nil:
		return errors.New("inbound: AUTH needs Logins")
	case c.Implicit && c.TLS == nil:
		return errors.New("inbound: implicit TLS needs a certificate")
	}
	return nil
}
