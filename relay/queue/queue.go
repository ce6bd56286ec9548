// Package queue keeps accepted mail until it is settled: delivered, bounced or
// removed by a person. It lives in the journal: what Commit has returned from
// survives kill -9 and power loss.
package queue

import (
	"context"
	"log/slog"
	"time"

	"github.com/forepost/forepost/relay/journal"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail"
)

// Outcome is what came of an attempt for one recipient.
type Outcome uint8

// The outcomes.
const (
	Delivered Outcome = iota + 1
	Soft              // may work later
	Hard              // will not work
)

// Attempt is what came of trying one recipient.
type Attempt struct {
	To      int // index in the envelope's To
	Outcome Outcome
	Reply   mail.Reply // the refusal, of the server or in our own words
	Said    string     // what the server said to a delivery: "250 2.0.0 queued as 8A1"
	Host    string     // who said it: "ex1.example.com[10.0.0.5]:25", "" where nobody was reached
	TLS     string     // "TLS 1.3, TLS_AES_128_GCM_SHA256", "" for none
	Note    string     // for the trail: what TLS was under, or why there was none
	Remote  bool       // Reply comes from a server (its words go into the DSN), not from us
	DSN     bool       // the server announced DSN and took NOTIFY over: no "relayed" report is due from us (RFC 3461 section 5.2.2)
}

// Transport carries a message to the recipients of an envelope, which all have
// the same Hop, and returns one Attempt for each of them. It does not retry.
type Transport interface {
	Deliver(ctx context.Context, env mail.Envelope, msg *mail.Message) []Attempt
}

// Hop is where a recipient goes next. Recipients of one message with the same
// Key travel together, and messages with the same Key share a line.
type Hop struct {
	Key   string // "mx:example.org", "route:exchange", "store"
	Route string // the route's name, for people and metrics
	Final bool   // a delivery there is the last one (our store, LMTP): "delivered", not "relayed", in a DSN
	Limit int    // deliveries to it at once, at the most; 0 for Options.PerHop
}

// Router finds the next hop, from tables: the DNS is the transport's to ask. An
// error that is a mail.Reply is an answer (no such route: permanent); any other
// is transient.
type Router interface {
	Route(ctx context.Context, to mail.Recipient) (Hop, Transport, error)
}

// Judge asks the policy about an attempt that is about to be made. A nil Judge
// lets everything pass.
type Judge interface {
	Judge(ctx context.Context, env mail.Envelope, to int, size int64, t Try) Ruling
}

// Try is what is known of an attempt that is about to be made.
type Try struct {
	Attempt  int           // from 1
	Age      time.Duration // of the message
	LastCode int           // of the attempt before, 0 for none
	Host     string        // of the attempt before
}

// Order is what becomes of an attempt.
type Order uint8

// The orders. Proceed makes the attempt.
const (
	Proceed  Order = iota
	Postpone       // as if a server had deferred it
	Refuse         // as if a server had refused it
	Discard        // the recipient is settled without a word
	Keep           // held until a person acts
)

// Ruling is what the policy says about an attempt.
type Ruling struct {
	Order Order
	Reply mail.Reply // of Postpone and Refuse; zero for stock words
	Rule  string     // the path of the rule
	Route string     // where it goes instead, "" for no change
	Tags  []string   // for this attempt
}

// Signer signs what leaves. A pipeline.Signer is one.
type Signer interface {
	Sign(ctx context.Context, domain string, msg *mail.Message) ([]mail.Field, error)
}

// Schedule is when a deferred recipient is tried again.
type Schedule struct {
	First  time.Duration // the first wait; default 1 min
	Factor float64       // each wait is so many times the one before; default 2
	Max    time.Duration // the longest wait; default 1 h
	Jitter float64       // by what share of itself a wait is longer or shorter, by chance; default 0.1
	Warn   time.Duration // after which a delay is reported; default 4 h, negative: never
	Expire time.Duration // after which it is given up; default 5 days
}

// Options of New.
type Options struct {
	Journal    *journal.Journal
	Router     Router
	Judge      Judge
	Trail      trail.Writer
	Signer     Signer       // for DSNs; may be nil
	IDs        *mail.IDs    // for DSNs
	Hostname   string       // the reporting MTA
	Postmaster mail.Address // the From of DSNs
	Schedule   func(route string) Schedule
	// Told tells whether reports go to a sender of that standing; nil: to all.
	Told    func(mail.Standing) bool
	Workers int // deliveries under way at once, all destinations together; default 200
	PerHop  int // and to one hop; default 20
	Now     func() time.Time
	Log     *slog.Logger
}

// Submission is one entry to be queued: an envelope and how the message goes to
// its recipients. One draft can become several, where policy treats recipients
// differently; they share the octets.
type Submission struct {
	Envelope mail.Envelope
	Prefix   []mail.Field
	Edits    []mail.Edit
	Hold     bool   // kept until a person acts
	Why      string // of Hold, for the operator
	// Refused are recipients, by their index in the envelope, that policy refused
	// while the message was taken for others: the sender is told, and they are
	// never tried.
	Refused map[int]Refusal
}

// Refusal is what the report about a refused recipient says.
type Refusal struct {
	Reply mail.Reply
	Why   string // for the trail
}
