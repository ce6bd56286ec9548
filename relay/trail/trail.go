// Package trail keeps what happened to every message and why, refused ones
// too: one decision record a transaction, and one event for each thing that
// happens to it later. explain, replay, the console and the tests written from
// real mail all read this one thing.
package trail

import (
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// Record is the decision about one transaction (or about a session that never
// came to one). Its writer leaves out what it does not know.
type Record struct {
	ID       mail.ID   `json:"id"`
	Time     time.Time `json:"time"`
	Listener string    `json:"listener,omitempty"`
	Client   Client    `json:"client"`
	Auth     string    `json:"auth,omitempty"` // the account
	From     *string   `json:"from,omitempty"` // nil before MAIL; "" is the null path
	To       []string  `json:"to,omitempty"`
	Subject  string    `json:"subject,omitempty"`
	Message  string    `json:"message_id,omitempty"`
	Size     int64     `json:"size,omitempty"`
	Policy   string    `json:"policy,omitempty"`
	Hash     string    `json:"hash,omitempty"` // of the policy, hex
	Loaded   time.Time `json:"loaded,omitzero"`
	Rules    []*Rule   `json:"rules,omitempty"` // the lines may be those of other records, too: not to be changed
	Facts    []Fact    `json:"facts,omitempty"`
	Points   string    `json:"points,omitempty"` // the total, "7.7"
	Outcomes []Outcome `json:"outcomes,omitempty"`
	Added    []string  `json:"added,omitempty"` // names of the fields put on top

	// What a policy can ask besides, so that another one can be tried on it.
	Trusted  bool      `json:"trusted,omitempty"`  // a network that may relay
	Verified bool      `json:"verified,omitempty"` // a certificate of the client
	Own      []string  `json:"own,omitempty"`      // the addresses of the account
	UTF8     bool      `json:"smtputf8,omitempty"`
	Declared int64     `json:"declared,omitempty"` // the SIZE parameter
	Rcpts    []Rcpt    `json:"rcpts,omitempty"`    // in the order of RCPT, refused ones too
	Judged   time.Time `json:"judged,omitzero"`    // when the message itself was judged
	Read     bool      `json:"read,omitempty"`     // the message was read to its end, so that what follows says all
	Type     string    `json:"type,omitempty"`     // of the whole message: "multipart/mixed"
	Defects  []string  `json:"defects,omitempty"`
	Header   []Field   `json:"header,omitempty"` // of the names in KeptFields and Asked; what is not here is not in the message
	Asked    []string  `json:"asked,omitempty"`  // further names, which the policy asks for
	// Cut tells what was left out because the record would have become too large:
	// "why", "rules", "facts", "header", "recipients".
	Cut []string `json:"cut,omitempty"`
}

// KeptFields are the header fields that a record always has, as far as they are
// in the message. Of those that only matter by being there the value is left out.
var KeptFields = []string{"From", "To", "Cc", "Subject", "Message-ID", "List-Id", "List-Unsubscribe", "Precedence"}

// Rcpt is a recipient as the directory knew it.
type Rcpt struct {
	Address string `json:"address"`
	Ours    bool   `json:"ours,omitempty"`
	Known   bool   `json:"known,omitempty"`
	Domain  string `json:"domain,omitempty"` // in the configuration
}

// Field is a header field of the message.
type Field struct {
	Name  string `json:"name"`
	Value string `json:"value"`         // as written, folds kept, without the space around it
	Cut   bool   `json:"cut,omitempty"` // the value is not whole
}

// Client is who connected.
type Client struct {
	IP   string `json:"ip,omitempty"`
	Name string `json:"name,omitempty"` // from the reverse DNS, confirmed
	Helo string `json:"helo,omitempty"`
	TLS  string `json:"tls,omitempty"` // "TLS 1.3, TLS_AES_128_GCM_SHA256", "" for none
}

// Rule is what one rule came to: a line of the trace.
type Rule struct {
	Stage   string `json:"stage"`          // connect, helo, mail, rcpt, data, end, deliver
	Path    string `json:"rule"`           // inbound.rcpt.reject.dnsbl
	Outcome string `json:"outcome"`        // yes, no, unknown, would (shadow), skipped, +1.5 (points), under, over
	Why     string `json:"why,omitempty"`  // "zen: not listed", "client.ip 203.0.113.9 not in list.never"
	To      string `json:"to,omitempty"`   // the recipient that it was asked for, where it matters
	Took    int64  `json:"took,omitempty"` // microseconds

	standing bool
}

// Fact is what a filter found.
type Fact struct {
	Filter string         `json:"filter"`           // spf, dnsbl.zen
	Values map[string]any `json:"values,omitempty"` // bool, string, float64, []string, netip.Addr, time.Duration, time.Time
	Reason string         `json:"reason,omitempty"`
	Error  string         `json:"error,omitempty"` // it could not tell
	// Auth are its results that are neither pass nor none, in the words of
	// Authentication-Results: "dkim=fail header.d=example.org header.s=k1".
	Auth []string `json:"auth,omitempty"`
	Took int64    `json:"took,omitempty"` // microseconds
	// Left are the names of facts that were found and are too large to keep: what
	// they were cannot be told any more.
	Left []string `json:"left,omitempty"`
	Rcpt int      `json:"rcpt,omitempty"` // the recipient that it is about, counted from 1 in Record.Rcpts; 0 for the message
	Conf string   `json:"conf,omitempty"` // stands for the filter's settings: equal where they are
}

// Outcome is what was decided for recipients.
type Outcome struct {
	To     []string `json:"to,omitempty"` // empty: the whole transaction
	Action string   `json:"action"`       // accept, reject, defer, drop, discard, quarantine, hold
	Rule   string   `json:"rule,omitempty"`
	Reply  string   `json:"reply,omitempty"`
	Where  string   `json:"where,omitempty"` // route, quarantine, folder
	Tags   []string `json:"tags,omitempty"`
}

// Event is something that happened after the decision.
type Event struct {
	ID    mail.ID   `json:"id"`
	Time  time.Time `json:"time"`
	What  string    `json:"what"` // delivered, deferred, bounced, expired, released, read, ...
	To    string    `json:"to,omitempty"`
	Host  string    `json:"host,omitempty"`
	Reply string    `json:"reply,omitempty"`
	TLS   string    `json:"tls,omitempty"`
	Note  string    `json:"note,omitempty"`
	Next  time.Time `json:"next,omitzero"` // when it is tried again
	// Session is that of the event "tls": how a connection to a domain's server was
	// secured, or why not.
	Session *Session `json:"session,omitempty"`
}

// Session is a connection as TLS reports count it, RFC 8460 section 4.
type Session struct {
	Domain string   `json:"domain"`           // whose policy it was under: the recipient's
	Policy string   `json:"policy"`           // tlsa, sts, no-policy-found
	Text   []string `json:"text,omitempty"`   // the policy
	MX     []string `json:"mx,omitempty"`     // the host names that it allows
	Host   string   `json:"host,omitempty"`   // the server's name
	Local  string   `json:"local,omitempty"`  // addresses
	Remote string   `json:"remote,omitempty"` //
	Result string   `json:"result,omitempty"` // what failed, in the words of RFC 8460 section 4.3; "" for nothing
}

// Story is all that is known of one ID.
type Story struct {
	Record *Record `json:"record,omitempty"`
	Events []Event `json:"events,omitempty"`
	// Now is where the message is at this moment, in words. The trail does not know it:
	// who asks fills it in.
	Now []string `json:"now,omitempty"`
}

// Writer is the half of a Trail that the relay needs. Neither call blocks on
// the disk, fails, or keeps a reference after it returns.
type Writer interface {
	Record(r *Record)
	Event(e Event)
}
