package policies

import (
	"net/netip"
	"strings"
	"time"

	"github.com/forepost/forepost/policies/internal/rules"
	"github.com/forepost/forepost/relay/mail"
)

// Settings is what the configuration says apart from policies: plain values,
// checked and with their defaults, for cmd to assemble the house from. Names
// that refer to another block were found there.
type Settings struct {
	Hostname   string
	Postmaster mail.Address // default: postmaster@ the first domain, or @ Hostname
	DataDir    string
	Classes    []string // of rules, sorted

	Listeners   []Listener
	IMAP        []MailServer
	POP3        []MailServer
	Domains     []Domain
	Routes      []Route
	Accounts    []Account
	Quarantines []Quarantine
	Certs       []Certificate // tls blocks
	Redis       []Redis
	LDAP        []LDAP
	Store       Store
	DNS         DNS
	State       State
	Reports     Reports
	SRS         SRS
	Bounces     Bounces
	Lists       []List // those that change by themselves
	Logins      Logins
	Callout     Callout
	Control     Endpoint
	Web         Endpoint
	Metrics     Endpoint
	Log         Log
}

// Secret is a text that is never printed.
type Secret string

// String hides it.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(secret)"
}

// GoString hides it.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Where says where a block stands: "policy.d/x.hcl:12".
type Where struct {
	File string
	Line int
}

// TLSMode is a listener's `tls`.
type TLSMode string

// The words of `tls` on a server.
const (
	TLSAuto     TLSMode = "auto"     // STARTTLS is offered
	TLSImplicit TLSMode = "implicit" // TLS from the first octet
	TLSOff      TLSMode = "off"
)

// Listener is a `listener` block.
type Listener struct {
	Name           string
	At             Where
	Protocol       string // smtp, submission, lmtp
	Address        string // ":25", "127.0.0.1:2526", "unix:/run/forepost/lmtp.sock"
	TLS            TLSMode
	Certs          []string // names of tls blocks, the default first; none: all of them, by the name that a client asks for
	Auth           string   // "", "accounts" or an LDAP URL
	RelayFrom      []netip.Prefix
	ProxyFrom      []netip.Prefix
	XClient        []netip.Prefix // may say for whom they speak
	Gate           Gate
	Policy         string // name of a policy
	MaxSize        int64
	MaxRecipients  int
	AllowCleartext bool
	RejectEarly    bool
	RepairLines    bool
}

// MailServer is an `imap` or `pop3` block.
type MailServer struct {
	Name           string
	At             Where
	Address        string
	TLS            TLSMode
	Certs          []string // as a listener's
	AllowCleartext bool
	Delete         string        // POP3: expunge (default), keep
	LoginDelay     time.Duration // POP3
}

// Domain is a `domain` block.
type Domain struct {
	Name       string
	At         Where
	Route      string // name of a route; "store", "mx" for the built-in ones
	Recipients Recipients
	Aliases    map[string][]mail.Address // local part in lower case; "*" for all that nobody else has
	Store      bool                      // its route is the store
	// Delimiter parts a local part from a detail (RFC 5233): bob+shop is bob's. ""
	// for none.
	Delimiter    string
	DetailFolder bool // mail with a detail goes to the mailbox of that name, where there is one
	DKIM         []DKIMKey
	Quarantine   string           // name of a quarantine, "" for none
	thresholds   rules.Thresholds // in place of the policy's
}

// Base is an address without its detail; ok is false where it has none.
func (d *Domain) Base(a mail.Address) (base mail.Address, detail string, ok bool) {
	if d.Delimiter == "" {
		return a, "", false
	}
	local, detail, ok := strings.Cut(a.Local, d.Delimiter)
	if !ok || local == "" {
		return a, "", false
	}
	return mail.Address{Local: local, Domain: a.Domain}, detail, true
}

// Recipients is how a domain knows its recipients.
type Recipients struct {
	Mode  string                  // accounts, callout, any, list
	Name  string                  // of the list, where Mode is list and a list block has it
	List  func(mail.Address) bool // likewise
	Known func() bool             // whether that list was ever read; nil: yes
}

// DKIMKey is one key of a domain.
type DKIMKey struct {
	Selector string
	Key      Secret // PEM, PKCS #1 or #8; "" where the secret is missing and Options.Strict is not set
	At       Where
}

// Route is a `route` block.
type Route struct {
	Name     string
	At       Where
	Kind     string       // hosts, lmtp, mx, store
	To       []string     // "ex1.int.example.com:25", "mail.lab.example.com:24", "/run/dovecot/lmtp"
	TLS      string       // may, require, verify, dane
	Strategy string       // failover, balance
	Sources  []netip.Addr // addresses of this host to connect from; none: the system's choice
	User     string
	Password Secret
	Retry    Retry
	// Concurrency is how many deliveries to a destination of it are under way at
	// once, at the most; 0 for the default.
	Concurrency int
}

// Retry is when a route's mail is tried again; a zero means the default.
type Retry struct {
	First, Max, Warn, Expire time.Duration
	Factor, Jitter           float64
}

// Account is an `account` block.
type Account struct {
	Address  mail.Address
	At       Where
	Password Secret // an argon2id hash, or a plain one from secret()
	Aliases  []mail.Address
	Quota    int64
	Sending  Sending
}

// Quarantine is a `quarantine` block.
type Quarantine struct {
	Name    string
	At      Where
	Keep    time.Duration
	Release string // recipient, admin
	MaxSize int64
	Digest  *TimeOfDay // when recipients are told what is new, nil for never; Release is recipient then
}

// TimeOfDay is a time on the clock of the place.
type TimeOfDay struct{ Hour, Minute int }

// Last is when it was that time last, not after now, in the zone of now.
func (t TimeOfDay) Last(now time.Time) time.Time {
	y, m, d := now.Date()
	at := time.Date(y, m, d, t.Hour, t.Minute, 0, 0, now.Location())
	if at.After(now) {
		at = time.Date(y, m, d-1, t.Hour, t.Minute, 0, 0, now.Location())
	}
	return at
}

// Certificate is a `tls` block.
type Certificate struct {
	Name      string
	At        Where
	Cert, Key string // files
	ACME      *ACME  // instead of files
}

// ACME is an `acme` block: certificates from a directory (RFC 8555).
type ACME struct {
	Names     []string // host names, the default first
	Email     string
	Directory string // URL, "" for Let's Encrypt
	Roots     Secret // PEM: who signs the directory's own certificate, "" for whom the system trusts
	HTTP      string // where HTTP-01 is answered, "" for not
	TLSALPN   string // where TLS-ALPN-01 is answered, "" for not
	DNS       Update // how challenges get into the DNS instead (DNS-01); the zero value: not
}

// Update is an `update` block: dynamic updates of a zone (RFC 2136).
type Update struct {
	Server    string // the primary server, host:port
	Key       string // the name of a TSIG key
	Algorithm string // hmac-sha256, ...
	Secret    Secret // base64
}

// Redis is a `redis` block.
type Redis struct {
	Name     string
	Address  string
	Username string
	Password Secret
	TLS      bool
	DB       int
	Prefix   string
}

// Store is the `store` block.
type Store struct {
	Quota     int64
	Retention time.Duration
	Sending   Sending // of everybody who logs in and has no limits of his own
}

// DNS is the `dns` block.
type DNS struct {
	Resolvers []string // "127.0.0.1:53"; empty: the system's
	Timeout   time.Duration
	Zone      string // a file that is the whole DNS
	DNSSEC    string // auto: a resolver on loopback is trusted to validate; trust: every one; off
}

// State is the `state` block.
type State struct {
	Backend string // "embedded", or the name of a redis block
	OnAway  string // open (default: local counting goes on), closed
}

// Endpoint is a `control`, `web` or `metrics` block.
type Endpoint struct {
	On      bool
	Address string
	Socket  string
}

// Log is the `log` block.
type Log struct {
	Format string // text, json
	Level  string // debug, info, warn, error
}
