// Package outbound carries mail to where it goes next: over SMTP with the TLS
// policy of its route, over LMTP, or into the local store.
package outbound

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/forepost/forepost/relay/dns"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/route"
	"github.com/forepost/forepost/relay/sts"
	"github.com/forepost/forepost/relay/trail"
)

// Store is what takes local mail; imapstore implements it.
type Store interface {
	// Deliver puts a message into mailboxes, durably, and returns one error (nil,
	// or best a mail.Reply) for each recipient.
	Deliver(ctx context.Context, d Delivery) []error
}

// Delivery is a message for the local store.
type Delivery struct {
	ID   mail.ID
	From mail.Address // becomes Return-Path
	To   []mail.Recipient
	// Message with all that goes on top of it, Return-Path apart. Its Blob may lie
	// in the store's own journal already.
	Message *mail.Message
	Time    time.Time // when the relay took it: INTERNALDATE
	// RequireTLS is REQUIRETLS (RFC 8689), which what is let out of a quarantine again
	// still is under.
	RequireTLS bool
}

// Options of the SMTP and LMTP transports.
type Options struct {
	Hostname string // for EHLO
	Finder   route.Finder
	Dialer   func(ctx context.Context, network, address string) (net.Conn, error) // default: net.Dialer
	// DialFrom is Dialer from an address of this host.
	DialFrom func(ctx context.Context, network, address string, from netip.Addr) (net.Conn, error)
	MaxIdle  int           // kept connections to one host; default 20
	KeepIdle time.Duration // how long one is kept; default 5 s, negative: not at all
	TLS      *tls.Config   // roots, client certificates; nil for the system's roots
	DNS      dns.Resolver  // for TLSA records; nil: no DANE
	STS      Policies      // nil: no MTA-STS
	Trail    trail.Writer  // how each connection by MX was secured; nil: not kept
	Now      func() time.Time
	Log      *slog.Logger
}

// Policies finds the MTA-STS policy of a domain; *sts.Cache is one.
type Policies interface {
	Policy(ctx context.Context, domain string) sts.Found
}
