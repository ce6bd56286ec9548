// Package dsn writes delivery status notifications: multipart/report (RFC 6522)
// with a part for people, a part for programs (RFC 3464, for SMTPUTF8 RFC 6533)
// and the message that it is about, or its header (RFC 3461 section 4.3).
package dsn

import (
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// Action is what a report reports (RFC 3464 section 2.3.3). "expanded" is not
// written, since nothing here expands lists.
type Action uint8

// The actions.
const (
	Failed Action = iota
	Delayed
	Relayed   // passed on to a server that does not report
	Delivered // into a mailbox
)

var actionNames = [...]string{"failed", "delayed", "relayed", "delivered"}

func (a Action) String() string { return actionNames[a] }

// Report is one notification, about one message and one action.
type Report struct {
	Action     Action
	ID         mail.ID       // of the report
	Hostname   string        // the reporting MTA
	From       mail.Address  // who writes it; null: MAILER-DAEMON at Hostname
	Time       time.Time     // of writing
	Envelope   mail.Envelope // of the message; To is not looked at
	Recipients []Recipient   // that the action is about, at least one
	Original   *mail.Message

	// MaxOriginal bounds how large a message may be to be returned whole, in
	// octets; default 1 MiB. Of a larger one, only the header is returned.
	MaxOriginal int64
}

// Recipient is one recipient of a report.
type Recipient struct {
	mail.Recipient
	Reply   mail.Reply // the refusal, zero for Relayed and Delivered
	Host    string     // who was asked: "ex1.example.com[10.0.0.5]:25", "" for nobody
	Remote  bool       // Reply comes from Host, not from us
	Expired bool       // Failed because it was deferred for too long
	Last    time.Time  // the last attempt
	Until   time.Time  // Delayed: how long it will be tried
}

// Form is what the envelope of a written report has to say.
type Form struct {
	EightBit bool // RFC 6152
	SMTPUTF8 bool // RFC 6531
}

// utf8 tells whether the report is of the internationalised form (RFC 6533):
// when the message came that way, its sender can read such a report.
func (r *Report) utf8() bool { return r.Envelope.SMTPUTF8 || r.Envelope.From.NeedsUTF8() }
