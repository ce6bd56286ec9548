package pipeline

import (
	"context"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// Filter finds facts about a transaction, once, when its inputs are known. It
// reads of the transaction only what exists at its Kind's earliest stage (the
// rest may be written meanwhile), changes nothing of it and decides nothing.
// It keeps to the deadline of ctx.
//
// An error means that it could not tell, never that the mail is bad. A Finding
// may come with it: the word for "could not tell" (spf.result = "temperror")
// is a fact as well.
type Filter interface {
	Inspect(ctx context.Context, tx *Transaction) (Finding, error)
}

// Settler is a Filter that charged something when it inspected (limits). Settle
// is called once for each of its findings when the verdict is known.
type Settler interface {
	// Settle tells whether what was inspected was taken; if not, the charge is
	// given back.
	Settle(ctx context.Context, f Finding, taken bool)
}

// Finding is what a filter saw. What is to be done about it stands in the policy.
type Finding struct {
	Facts  Facts
	Reason string       // for the trail, one line; the client never sees it
	Auth   []AuthResult // RFC 8601; also how DMARC reads SPF and DKIM
	Fields []mail.Field // put on top if the message is taken
	Edits  []mail.Edit  // what an external filter wants changed: all or none
	Charge any          // the filter's own, for Settle
}

// Facts are values by the names of the Kind's Schema. A name that is missing
// has the zero value of its type.
type Facts map[string]any

// Type is the type of a fact.
type Type uint8

// The types, with what stands for them in Facts.
const (
	Bool     Type = iota // bool
	String               // string
	Number               // float64
	Strings              // []string
	IP                   // netip.Addr
	Duration             // time.Duration
	Time                 // time.Time
)

var typeNames = [...]string{"bool", "string", "number", "list of strings", "IP address", "duration", "time"}

func (t Type) String() string { return typeNames[t] }

// Spec describes one fact.
type Spec struct {
	Name  string // "result"
	Type  Type
	Words []string // the closed set of a String, nil for an open one
	Doc   string   // one line for the reference
}

// Schema describes the facts of a kind.
type Schema []Spec

// AuthResult is one method's result of an Authentication-Results field, RFC 8601.
type AuthResult struct {
	Method string // spf, dkim, dmarc
	Result string // pass, fail, none, ...
	Reason string
	Props  []Prop
}

// Prop is a property of an AuthResult: smtp.mailfrom, header.d, policy.p.
type Prop struct{ Name, Value string }

// Scope is how long a finding holds.
type Scope uint8

// The scopes.
const (
	PerSession Scope = iota
	PerMessage
	PerRecipient
)

// OnError is what becomes of a message when a filter that a rule asked could
// not tell, and no rule asked for that by name.
type OnError uint8

// The answers; the default is to ignore.
const (
	ErrorIgnored OnError = iota
	ErrorDefers
	ErrorQuarantines
)

// Instance is a filter built for a configuration.
type Instance struct {
	Name    string // "spf", "dnsbl.zen", "limit:inbound.rcpt.limit.per-client"
	Kind    string
	Filter  Filter
	From    Stage
	Scope   Scope
	Needs   []string // names of instances whose findings it asks for
	Slow    bool     // waits on others: worth starting before it is asked
	Timeout time.Duration
	OnError OnError
	Conf    string // stands for its settings: equal where they are; "" where they do not matter
}

// Set is the instances of a configuration by name.
type Set struct{ byName map[string]*Instance }

// NewSet makes a Set.
func NewSet(instances ...*Instance) *Set {
	s := &Set{byName: map[string]*Instance{}}
	for _, in := range instances {
		s.byName[in.Name] = in
	}
	return s
}

// Get finds an instance by name.
func (s *Set) Get(name string) (*Instance, bool) {
	if s == nil {
		return nil, false
	}
	in, ok := s.byName[name]
	return in, ok
}
