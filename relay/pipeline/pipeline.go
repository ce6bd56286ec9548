// Package pipeline is the shape of judgement: a transaction goes through
// stages, filters find facts about it on demand, and a plan (a compiled policy)
// answers what becomes of each recipient. Filters change nothing and decide
// nothing; plans do nothing themselves.
package pipeline

import (
	"context"
	"net/netip"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/mime"
	"github.com/forepost/forepost/relay/trail"
)

// Stage is how far a transaction has come.
type Stage uint8

// The stages, in order.
const (
	Connect Stage = iota
	Helo
	Mail
	Rcpt    // once for each recipient
	Data    // the whole message, for each recipient
	Deliver // each attempt; knows the envelope, tags, size and delivery.* only
)

var stageNames = [...]string{"connect", "helo", "mail", "rcpt", "data", "deliver"}

func (s Stage) String() string { return stageNames[s] }

// Session is one client's connection, as far as judgement is concerned.
// inbound fills it; filters and plans read it, Ledger and Trace apart.
type Session struct {
	ID       mail.ID
	Start    time.Time
	Listener string
	Trusted  bool // from a network that may relay
	Client   netip.Addr
	// ClientName is the client's name as a trusted server in front of us told it
	// (XCLIENT NAME), "" where nobody did.
	ClientName string
	Helo       string
	ESMTP      bool // EHLO, not HELO
	TLS        TLS
	Auth       mail.Identity

	Ledger Ledger        // what plans noted at Connect and Helo; for the whole session
	Trace  []*trail.Rule // what plans traced at Connect and Helo

	// Past is set where what was judged is judged again from its record: then some
	// things are not known any more. On live mail it is nil.
	Past Past

	finds finds
}

// TLS is how the connection is protected.
type TLS struct {
	On              bool
	Version, Cipher string // "TLS 1.3"
	Verified        bool   // by a client certificate
}

// Transaction is one message on its way in (or, at Deliver, out).
type Transaction struct {
	*Session
	ID       mail.ID
	From     mail.Address
	Declared int64 // the SIZE parameter, 0 for none
	SMTPUTF8 bool
	To       []Recipient
	Current  int // the recipient in question at Rcpt, Data and Deliver; an index of To

	Message *mail.Message // from Data on; its Prefix is empty yet
	Part    *mime.Part    // its structure

	Delivery Delivery // at Deliver

	Ledger Ledger        // what plans noted at Mail
	Trace  *trail.Record // inbound makes it, plans add Rules, filters' findings come at the end

	set   *Set
	finds *finds
}

// Recipient is one recipient of a transaction. Those that were refused at RCPT
// are no longer in Transaction.To.
type Recipient struct {
	Address    mail.Address // as given
	Acceptance mail.Acceptance
	Original   string // ORCPT
	Notify     mail.Notify
	Ledger     Ledger // what plans noted at Rcpt and Data for this one
}

// Delivery is what is known of an attempt to deliver.
type Delivery struct {
	Attempt  int // from 1
	Age      time.Duration
	LastCode int    // of the attempt before, 0 for none
	Host     string // that is tried, "" before routing
}

// Ledger is what the rules that do not end anything have noted so far. Those of
// session, transaction and recipient add up.
type Ledger struct {
	Tags    []string
	Skip    []string // classes of rules that no longer apply
	Points  Points
	Symbols []Symbol // what Points is made of
	Fields  []mail.Field
	Edits   []mail.Edit
	Copies  []mail.Address
	Sign    bool     // with the DKIM keys of the author's domain
	Keys    []string // of Sign: the selectors of those keys; empty for all of them
	Canon   string   // of Sign: Signing.Canonicalization
	Seal    bool     // with a link of the recipient's domain in the ARC chain
	Route   string   // "" for the domain's own

	// What a plan noted before Data for itself to act on at Data: the paths of
	// the rules that hold or discard, and the filters that a rule asked, that
	// could not tell, and whose OnError is not to ignore that.
	Hold    string
	Discard string
	Unsure  []string
}

// Symbol is one line of a score.
type Symbol struct {
	Rule   string // inbound.data.score.sender
	Name   string // no_rdns
	Points Points
}

// Points are thousandths of a point, so that sums are exact.
type Points int64

// Action is what becomes of a recipient.
type Action uint8

// The actions. None is no verdict: the stage lets it pass.
const (
	None Action = iota
	Accept
	Reject
	Defer
	Drop // 421 and close; only before Rcpt
	Discard
	Quarantine
	Hold
)

var actionNames = [...]string{"none", "accept", "reject", "defer", "drop", "discard", "quarantine", "hold"}

func (a Action) String() string { return actionNames[a] }

// Refuses tells whether the action is an answer other than 250.
func (a Action) Refuses() bool { return a == Reject || a == Defer || a == Drop }

// Verdict is what becomes of one recipient, and why.
type Verdict struct {
	To     int // index of Transaction.To; -1 for the session or transaction as a whole
	Action Action
	Reply  mail.Reply // of Reject, Defer and Drop
	Rule   string     // the path of the rule, "inbound.rcpt.reject.dnsbl", "inbound.thresholds.reject"
	Into   string     // the quarantine, for Quarantine
	Notify []mail.Address
	// Partial is what becomes of this recipient if it is rejected at Data while
	// others are not: Quarantine (into Into), Discard, or Reject for a bounce.
	Partial Action
	Ledger  Ledger // at Data and Deliver: all that was noted, merged
}

// Plan is a compiled policy: immutable, safe for concurrent use, swapped whole
// on reload. Before Rcpt it gives at most one verdict, with To -1; at Rcpt and
// Deliver at most one, for tx.Current; at Data one for each of tx.To, in order
// (Action None or Accept where nothing stands against it).
type Plan interface {
	Run(ctx context.Context, at Stage, tx *Transaction) []Verdict
	Info() PlanInfo
}

// PlanInfo names a plan in the trail.
type PlanInfo struct {
	Name   string
	Hash   string // sha256 of the policy as written, hex
	Loaded time.Time
	// Headers are the names of header fields that its rules ask for, so that the
	// record keeps them.
	Headers []string
}

// Signer signs what leaves, after all edits. It is asked for the domain of the
// author and returns no field and no error where it has no key for it.
type Signer interface {
	Sign(ctx context.Context, domain string, msg *mail.Message) ([]mail.Field, error)
}

// Signing is how a message is to be signed.
type Signing struct {
	// Selectors are those of the keys that sign, empty for all of the domain's. One
	// that the domain has not is no error, and makes no field.
	Selectors []string
	// Canonicalization is that of header and body (RFC 6376 section 3.4), as c= has
	// it: "simple/relaxed". "" is relaxed/relaxed.
	Canonicalization string
}

// SelectiveSigner is a Signer that can be told how to sign.
type SelectiveSigner interface {
	Signer
	SignWith(ctx context.Context, domain string, how Signing, msg *mail.Message) ([]mail.Field, error)
}

// Link is what a link of an ARC chain says, RFC 8617.
type Link struct {
	Domain  string // that seals
	Chain   string // the result of the links before it: none, pass, fail
	Results string // the value of our Authentication-Results field
}

// Sealer adds a link to the ARC chain of what goes on, after all edits and
// signatures. It returns no field and no error where it has no key for the
// domain or the chain may not be continued.
type Sealer interface {
	Seal(ctx context.Context, link Link, msg *mail.Message) ([]mail.Field, error)
}
