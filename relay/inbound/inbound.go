// Package inbound is the SMTP server's dialogue: go-smtp behind a wire shim of
// our own. It asks for what it needs and implements none of it: the policy,
// the directory, the spool.
package inbound

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net/netip"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/pipeline"
	"github.com/forepost/forepost/relay/queue"
	"github.com/forepost/forepost/relay/sasl"
	"github.com/forepost/forepost/relay/trail"
)

// Policies gives the plan in force. It is asked once a transaction (and once a
// session for Connect and Helo), so that a reload swaps between messages.
type Policies interface {
	PlanFor(listener string) pipeline.Plan
}

// Directory knows who is here.
type Directory interface {
	// Accepts tells whether a recipient is ours and exists. An error means that
	// it could not tell: 451. <Postmaster> (RFC 5321 section 4.5.1) comes with an
	// empty Domain.
	Accepts(ctx context.Context, to mail.Address) (mail.Acceptance, error)
}

// AskedDirectory is a Directory that wants to know for whom it is asked, because
// its answers cost somebody something. Where a Directory is one, this is called.
type AskedDirectory interface {
	Directory
	AcceptsFor(ctx context.Context, by *pipeline.Session, to mail.Address) (mail.Acceptance, error)
}

// Allowance is how much those who log in may send.
type Allowance interface {
	// Charge counts a message of a user, before it is queued. A Reply refuses it;
	// then nothing is counted.
	Charge(ctx context.Context, user string, recipients int, size int64) mail.Reply
	// Refund takes back what Charge counted and did not become a message.
	Refund(ctx context.Context, user string, recipients int, size int64)
}

// Spool takes messages. FromQueue makes one of a *queue.Queue.
type Spool interface {
	Draft(id mail.ID) (Draft, error)
}

// Draft is a message that is being taken; *queue.Draft is one. It is used by
// one goroutine and ends with Commit or Discard.
type Draft interface {
	Write(p []byte) (int, error)
	// Blob is what was written so far.
	Blob() mail.Blob
	// Commit makes the entries durable and returns: now 250 may be said. The
	// slice of them is used again afterwards.
	Commit(ctx context.Context, s ...queue.Submission) error
	// Discard gives the draft up; after Commit it does nothing.
	Discard()
}

// FromQueue makes the queue a Spool.
func FromQueue(q *queue.Queue) Spool { return queueSpool{q} }

type queueSpool struct{ q *queue.Queue }

func (s queueSpool) Draft(id mail.ID) (Draft, error) {
	d, err := s.q.Draft(id)
	if err != nil {
		return nil, err
	}
	return d, nil
}

// Protocol is what a listener speaks.
type Protocol uint8

// The protocols.
const (
	SMTP Protocol = iota
	Submission
	LMTP
)

// Config of a listener.
type Config struct {
	Name     string // of the listener
	Hostname string // in the greeting, EHLO, Received and Authentication-Results
	Protocol Protocol

	TLS            *tls.Config // nil: no TLS
	Implicit       bool        // TLS from the first octet
	Auth           bool        // offer AUTH and, on submission, ask for it
	AllowCleartext bool        // AUTH without TLS from elsewhere than loopback

	RelayFrom   []netip.Prefix // networks that may relay
	ProxyFrom   []netip.Prefix // proxies: each of their connections begins with a PROXY header
	XClient     []netip.Prefix // servers in front of us that may say XCLIENT
	RejectEarly bool           // verdicts of connect, helo and mail at once, not at RCPT
	RepairLines bool           // bare CR or LF become CRLF instead of a refusal

	MaxSize       int64         // octets; default 50 MiB
	MaxRecipients int           // default 1,000
	MaxLine       int           // of a command, octets; default 2,000 (AUTH lines: 12,288)
	MaxReceived   int           // Received fields before a loop is seen; default 50
	MaxSessions   int           // at once; default 1,000
	MaxPerClient  int           // at once from one address; default 50
	MaxPerNetwork int           // at once from one network; default 200
	ClientRate    Rate          // connections of one address; the zero Rate is no limit
	NetworkRate   Rate          // connections of one network
	NetworkV4     int           // bits of an IPv4 network; default 24
	NetworkV6     int           // bits of an IPv6 network; default 64
	GreetingDelay time.Duration // before a stranger is greeted; who speaks in it is refused. 0: none
	MaxErrors     int           // before 421; default 20
	Idle          time.Duration // for a command; default 5 min (RFC 5321 section 4.5.3.2.7)
	DataTime      time.Duration // for the next block of data; default 3 min

	Policies  Policies
	Directory Directory
	Logins    sasl.Logins // who may log in, where Auth
	Allowance Allowance   // of who logged in; nil: without limits
	Spool     Spool
	Signer    pipeline.Signer // may be nil
	Sealer    pipeline.Sealer // may be nil
	Notifier  Notifier        // may be nil
	Trail     trail.Writer
	IDs       *mail.IDs
	Now       func() time.Time
	Log       *slog.Logger // names the listener already

	// Quarantine is the envelope recipient of a quarantine of that name.
	Quarantine func(name string) mail.Address

	// Panicked is told of a panic that was caught, for the count of them; it may
	// be nil.
	Panicked func(where string)

	newParser func() parser // other than the real one only in the benchmark of the edge alone
	restAfter time.Duration // how long a client is quiet before go-smtp goes; other than the default only in tests
}
