// Package pop3pickup is POP3 (RFC 1939) over the store: it hands INBOX to
// clients that fetch their mail.
package pop3pickup

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/forepost/forepost/imapstore"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/sasl"
)

// What QUIT does with the messages that the client deleted.
const (
	DeleteExpunge = "expunge" // they are gone
	DeleteKeep    = "keep"    // they stay for IMAP and are hidden from POP3
)

// Config of New. Store, Logins and IDs are needed.
type Config struct {
	Name           string // of the listener, for the log
	Hostname       string // for the greeting
	TLS            *tls.Config
	Implicit       bool // TLS from the first octet (port 995, RFC 8314)
	AllowCleartext bool // logins without TLS from anywhere, not only from this machine
	Delete         string
	MarkSeen       bool          // a message that was fetched and left is \Seen for IMAP
	LoginDelay     time.Duration // the least time between two logins of an account; 0 for none
	Retention      time.Duration // how long mail is kept at least, for EXPIRE; 0 for ever
	MaxSessions    int           // default 1000
	MaxPerClient   int           // for an IPv4 address or an IPv6 /64; default 50
	Idle           time.Duration // until autologout; default 10 minutes, the least that RFC 1939 allows
	AuthDelay      time.Duration // before the answer to a wrong password, growing; default 1 s

	Store  imapstore.Store
	Logins sasl.Logins // User of an identity is the name of an account of Store
	Now    func() time.Time
	Log    *slog.Logger
	IDs    *mail.IDs
}

func (c *Config) defaults() {
	def := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	defTime := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&c.MaxSessions, 1000)
	def(&c.MaxPerClient, 50)
	defTime(&c.Idle, 10*time.Minute)
	defTime(&c.AuthDelay, time.Second)
	if c.Delete == "" {
		c.Delete = DeleteExpunge
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.TLS != nil && len(c.TLS.NextProtos) == 0 {
		c.TLS = c.TLS.Clone()
		c.TLS.NextProtos = []string{"pop3"} // a browser's handshake, which wants h2 or http/1.1, fails (ALPACA)
	}
}

// Server is a POP3 server. It is safe for concurrent use.
type Server struct {
	c      Config
	logins *loginTimes
	ctx    context.Context // ends with Close
	cancel context.CancelFunc

	mu        sync.Mutex
	listeners map[net.Listener]bool
	sessions  map[*session]bool
	clients   map[string]int
	closing   bool
	work      sync.WaitGroup
}

// ErrClosed is what Serve returns after Shutdown or Close.
var ErrClosed = errors.New("pop3pickup: the server is closed")

// New makes a server; Serve starts it.
func New(c Config) *Server {
	c.defaults()
	ctx, cancel := context.WithCancel(context.Background())
	return &Server{c: c, logins: newLoginTimes(c.LoginDelay), ctx: ctx, cancel: cancel,
		listeners: map[net.Listener]bool{}, sessions: map[*session]bool{}, clients: map[string]int{}}
}
