package mail

import "time"

// Envelope is what SMTP says about a message outside of it.
type Envelope struct {
	ID         ID
	From       Address
	To         []Recipient
	SMTPUTF8   bool      // RFC 6531
	EightBit   bool      // BODY=8BITMIME, RFC 6152
	Binary     bool      // BODY=BINARYMIME, RFC 3030: bodies have octets and no lines; goes on in chunks only, or converted
	RequireTLS bool      // RFC 8689
	Priority   int8      // MT-PRIORITY, RFC 6710: -9 to 9, higher ones first; 0 where not given
	Ret        string    // RET of RFC 3461: "FULL", "HDRS" or ""
	EnvID      string    // ENVID of RFC 3461, xtext decoded
	Received   time.Time // when the message was taken
	Listener   string    // that took it: its policy judges the attempts; "" for mail of our own
	Standing   Standing  // what speaks for the sender
}

// Standing is what speaks for the sender of an envelope. It says whether a report
// to it may hit somebody who sent nothing.
type Standing uint8

// The standings.
const (
	Vouched  Standing = iota // our own mail, a user or network of ours, SPF pass, or a DKIM signature of its domain
	Unproven                 // nothing speaks for it, and nothing against it
	Disowned                 // SPF says that who brought it may not send for that domain
	Doubted                  // it was let out of a quarantine, and nothing speaks for its sender
)

// Recipient is one recipient of an envelope and what was decided about it.
type Recipient struct {
	Address  Address
	Original string // ORCPT of RFC 3461, "rfc822;bob@example.com", xtext decoded; "" where not given
	Notify   Notify
	Via      string   // the domain of ours whose alias led here, "" for none
	Route    string   // a route that policy chose, by name; "" for the domain's own
	Folder   string   // the mailbox for a delivery to the store; "" is INBOX
	Tags     []string // given by policy; keywords in the store
}

// Notify is the NOTIFY parameter of RFC 3461 section 4.1; zero is not given,
// which means failures (and delays).
type Notify uint8

// The words of NOTIFY. NotifyNever excludes the others.
const (
	NotifyNever Notify = 1 << iota
	NotifySuccess
	NotifyFailure
	NotifyDelay
)

// Failure tells whether the sender wants to hear of a failure.
func (n Notify) Failure() bool { return n == 0 || n&NotifyFailure != 0 }

// Delay tells whether the sender wants to hear of a delay.
func (n Notify) Delay() bool { return n == 0 || n&NotifyDelay != 0 }

// Success tells whether the sender wants to hear of a delivery.
func (n Notify) Success() bool { return n&NotifySuccess != 0 }

// Acceptance is what a Directory says of a recipient.
type Acceptance struct {
	Ours   bool      // the domain is one that this gateway takes mail for
	Known  bool      // the recipient exists, or its domain takes any
	Domain string    // the domain's name in the configuration, "" where not ours
	Final  []Address // where the mail goes, aliases resolved; never empty where Known
	Reply  Reply     // a refusal in the directory's own words (callout); zero for the stock ones
	Rule   string    // which of our own rules Reply comes of, "" for recipient: callout
	Why    string    // of Reply, for the trail
}

// Identity is who authenticated.
type Identity struct {
	User      string    // the account, "" for nobody
	Addresses []Address // the addresses that are its own; a Local of "*" is the whole domain
}
