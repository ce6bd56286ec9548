// Package admin is how the commands talk to the running gateway: a small API,
// JSON over HTTP, on a unix socket that only the gateway's user and root reach.
// The command line and whatever comes later use the same calls, so they cannot
// differ.
package admin

import (
	"context"
	"time"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/report"
	"github.com/forepost/forepost/relay/trail"
)

// Backend is what the gateway answers with.
type Backend interface {
	Status() Status
	Reload(ctx context.Context, o ReloadOptions) ReloadResult
	// Explain finds a message or, for a session's ID, all its messages. None found
	// is an empty list.
	Explain(id mail.ID) ([]trail.Story, error)
	Trace(q TraceQuery) ([]trail.Record, error)

	Users() []User
	// User is all that is known of the account that has a name, or an alias.
	User(ctx context.Context, name string) (UserDetail, error)
	AddUser(ctx context.Context, u NewUser) error
	SetPassword(ctx context.Context, name, password string) error
	DisableUser(ctx context.Context, name string, disabled bool) error
	LimitUser(ctx context.Context, name string, l UserLimit) error
	RemoveUser(ctx context.Context, name string) error

	Queue
	Quarantine
	Routes
	Bans
	Policy

	// Reports are the summaries of reports that came in, the latest first. Rows are
	// there only where the query names one.
	Reports(ctx context.Context, q ReportsQuery) ([]report.Summary, error)
}

// Status of the gateway.
type Status struct {
	Version string     `json:"version"`
	Started time.Time  `json:"started"`
	Config  string     `json:"config"`
	Loaded  time.Time  `json:"loaded"`
	Queue   int        `json:"queue"`
	Servers []Endpoint `json:"servers"`
	// Certificates are those that servers show, the default first.
	Certificates []Certificate `json:"certificates,omitempty"`
}

// Certificate is one that servers show.
type Certificate struct {
	Block      string    `json:"block,omitempty"` // the tls block, "" for the one of our own where there is none
	Names      []string  `json:"names"`
	Expires    time.Time `json:"expires"`
	SelfSigned bool      `json:"self_signed,omitempty"`
}

// Endpoint is a server that listens.
type Endpoint struct {
	Kind    string `json:"kind"` // smtp, submission, lmtp, imap, pop3, metrics
	Name    string `json:"name"`
	Address string `json:"address"`
}

// ReloadResult of Reload.
type ReloadResult struct {
	OK          bool   `json:"ok"`
	Diagnostics string `json:"diagnostics,omitempty"` // as `forepost check` prints them
	Error       string `json:"error,omitempty"`
	Tests       string `json:"tests,omitempty"` // what the tests beside it said, where some failed
}

// TraceQuery searches the trail; all that is set must hold.
type TraceQuery struct {
	Text    string        `json:"text,omitempty"` // words, an address, a domain, an IP address, an ID
	From    string        `json:"from,omitempty"`
	To      string        `json:"to,omitempty"`
	IP      string        `json:"ip,omitempty"`
	Verdict string        `json:"verdict,omitempty"`
	Rule    string        `json:"rule,omitempty"`
	Tag     string        `json:"tag,omitempty"`
	Since   time.Duration `json:"since,omitempty"` // ago
	Until   time.Duration `json:"until,omitempty"` // ago
	Limit   int           `json:"limit,omitempty"`
}

// ReportsQuery chooses reports that came in; what is empty chooses all.
type ReportsQuery struct {
	ID     string        `json:"id,omitempty"`
	Domain string        `json:"domain,omitempty"`
	Since  time.Duration `json:"since,omitempty"`
}

// User is an account.
type User struct {
	Name     string   `json:"name"`
	Aliases  []string `json:"aliases,omitempty"`
	Quota    int64    `json:"quota,omitempty"`
	Disabled bool     `json:"disabled,omitempty"`
	Config   bool     `json:"config,omitempty"` // stands in the configuration
	Sent     []Sent   `json:"sent,omitempty"`   // of what it may send; only a running gateway counts
}

// UserDetail is all that is known of an account.
type UserDetail struct {
	User
	Login     string        `json:"login"`               // how it can log in: none, password (PLAIN and LOGIN), scram (those and SCRAM)
	Bytes     int64         `json:"bytes"`               // in its mailboxes
	Messages  int64         `json:"messages"`            // likewise
	Mailboxes []UserMailbox `json:"mailboxes,omitempty"` // in order of names
	SendsAs   []string      `json:"sends_as,omitempty"`  // addresses that it may send from; only a running gateway knows the domains' aliases
	Guesses   int64         `json:"guesses,omitempty"`   // wrong passwords from unknown addresses within half an hour; only a running gateway counts
	Slowed    bool          `json:"slowed,omitempty"`    // its logins from unknown addresses take turns, because of those
	SeenFrom  []string      `json:"seen_from,omitempty"` // where it logged in from, in the last 30 days; only a running gateway knows
}

// UserMailbox is one of an account's mailboxes.
type UserMailbox struct {
	Name     string `json:"name"`
	Messages int    `json:"messages"`
	Unseen   int    `json:"unseen"`
}

// Sent is how much an account has sent of what it may.
type Sent struct {
	What string        `json:"what"` // messages, recipients, bytes
	Used int64         `json:"used"`
	Max  int64         `json:"max"`
	Per  time.Duration `json:"per_ns"`
}

// UserLimit is how much an account may send: "300/1h", "none", "" for what is usual.
type UserLimit struct {
	Messages   string `json:"messages,omitempty"`
	Recipients string `json:"recipients,omitempty"`
	Bytes      string `json:"bytes,omitempty"`
}

// NewUser asks for an account.
type NewUser struct {
	Name     string   `json:"name"`
	Password string   `json:"password"`
	Quota    int64    `json:"quota,omitempty"`
	Aliases  []string `json:"aliases,omitempty"`
}
