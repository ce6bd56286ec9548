package ldap

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/go-ldap/ldap/v3"

	"github.com/forepost/forepost/relay/meter"
)

var asked = meter.Counter("forepost_ldap_requests_total", "Requests to directory servers: ok, refused (a wrong password), or away.", "result")

// ErrAway is that no server can be asked, or none that can gives an answer.
var ErrAway = errors.New("ldap: the directory cannot be asked")

// errWrong is what a server says of a wrong password.
var errWrong = errors.New("ldap: wrong password")

// Options of New.
type Options struct {
	Servers  []string // "ldaps://dc1.example.com"; the others stand in for the first
	StartTLS bool     // for ldap:// servers
	Bind     string   // the DN that searches are made as; "" for anonymous
	Password string
	TLS      *tls.Config   // roots; the name is the server's. nil for the system's
	Timeout  time.Duration // of one request, and of connecting; default 5 s
	Now      func() time.Time
	Log      *slog.Logger
}

// leftAlone is how long a server that failed is asked only if no other can be.
const leftAlone = 30 * time.Second

// Client is safe for concurrent use.
type Client struct {
	o        Options
	searches pool // bound as Options.Bind
	binds    pool // for binds as users

	mu   sync.Mutex
	down map[string]time.Time // servers that failed, until when they are left alone
	base string               // the servers' own, once found
}

// New makes a client, which connects when it is asked.
func New(o Options) *Client {
	o.Timeout = cmp.Or(o.Timeout, 5*time.Second)
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Client{o: o, down: map[string]time.Time{}}
}

// Close closes the connections that nobody uses.
func (c *Client) Close() {
	c.searches.close()
	c.binds.close()
}

// do runs f on a connection: one that was used before, or a new one to the first
// server that can be had.
func (c *Client) do(ctx context.Context, p *pool, f func(*ldap.Conn) error) error {
	if conn := p.take(c.o.Now()); conn != nil {
		err := f(conn)
		if !broken(conn, err) {
			p.put(conn, c.o.Now())
			return c.counted(err)
		}
		conn.Close()
		p.flush() // the server has gone: the others are of no more use
	}
	var last error
	for _, s := range c.order() {
		if last = ctx.Err(); last != nil {
			break
		}
		conn, err := c.dial(s, p == &c.searches)
		if err == nil {
			if err = f(conn); !broken(conn, err) {
				p.put(conn, c.o.Now())
				return c.counted(err)
			}
			conn.Close()
		}
		c.failed(s, err)
		last = err
	}
	asked.WithLabelValues("away").Inc()
	return fmt.Errorf("%w: %w", ErrAway, last)
}

func (c *Client) counted(err error) error {
	switch {
	case err == nil:
		asked.WithLabelValues("ok").Inc()
	case errors.Is(err, errWrong):
		asked.WithLabelValues("refused").Inc()
	default: // the server answers, and not what was asked: a base that is not there, no right to search
		asked.WithLabelValues("away").Inc()
		return fmt.Errorf("%w: %w", ErrAway, err)
	}
	return err
}

// broken tells whether another connection may do better.
func broken(conn *ldap.Conn, err error) bool {
	return conn.IsClosing() || ldap.IsErrorAnyOf(err, ldap.ErrorNetwork, ldap.LDAPResultServerDown, ldap.LDAPResultBusy,
		ldap.LDAPResultUnavailable, ldap.LDAPResultTimeout, ldap.LDAPResultConnectError, ldap.ErrorUnexpectedResponse, ldap.ErrorUnexpectedMessage)
}

// order is the servers as they stand, those that failed lately last.
func (c *Client) order() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.o.Now()
	var well, ill []string
	for _, s := range c.o.Servers {
		if now.Before(c.down[s]) {
			ill = append(ill, s)
		} else {
			well = append(well, s)
		}
	}
	return slices.Concat(well, ill)
}

func (c *Client) failed(server string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down[server] = c.o.Now().Add(leftAlone)
	c.o.Log.Warn("a directory server cannot be asked", "server", server, "error", err)
}

// dial connects, secures, and for searches binds.
func (c *Client) dial(server string, bound bool) (*ldap.Conn, error) {
	u, err := url.Parse(server)
	if err != nil {
		return nil, err
	}
	conf := &tls.Config{}
	if c.o.TLS != nil {
		conf = c.o.TLS.Clone()
	}
	conf.ServerName, conf.MinVersion = u.Hostname(), tls.VersionTLS12
	conn, err := ldap.DialURL(server, ldap.DialWithDialer(&net.Dialer{Timeout: c.o.Timeout}), ldap.DialWithTLSConfig(conf))
	if err != nil {
		return nil, err
	}
	conn.SetTimeout(c.o.Timeout)
	if c.o.StartTLS && u.Scheme == "ldap" {
		err = conn.StartTLS(conf)
	}
	if err == nil && bound && c.o.Bind != "" {
		if err = conn.Bind(c.o.Bind, c.o.Password); err != nil {
			err = fmt.Errorf("binding as %s: %w", c.o.Bind, err)
		}
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// search finds entries; limit 0 is all of them, in pages.
func (c *Client) search(ctx context.Context, s Source, filter string, attrs []string, limit int) (list []*ldap.Entry, err error) {
	base, err := c.baseOf(ctx, s)
	if err != nil {
		return nil, err
	}
	err = c.do(ctx, &c.searches, func(conn *ldap.Conn) error {
		req := ldap.NewSearchRequest(base, s.Scope, ldap.NeverDerefAliases, limit, int(c.o.Timeout/time.Second), false, filter, attrs, nil)
		var res *ldap.SearchResult
		var err error
		if limit == 0 {
			req.TimeLimit = 0
			res, err = conn.SearchWithPaging(req, pageSize)
		} else {
			res, err = conn.Search(req)
		}
		if ldap.IsErrorWithCode(err, ldap.LDAPResultSizeLimitExceeded) && limit > 0 {
			err = nil // there are more than we wanted to know of
		}
		if res != nil {
			list = res.Entries
		}
		return err
	})
	return list, err
}

const pageSize = 500

// baseOf is where a source begins: what it says, or the server's own.
func (c *Client) baseOf(ctx context.Context, s Source) (base string, err error) {
	c.mu.Lock()
	base = cmp.Or(s.Base, c.base)
	c.mu.Unlock()
	if base != "" {
		return base, nil
	}
	err = c.do(ctx, &c.searches, func(conn *ldap.Conn) error {
		res, err := conn.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, ldap.NeverDerefAliases, 1, 0, false, "(objectClass=*)",
			[]string{"defaultNamingContext", "namingContexts"}, nil))
		if err != nil {
			return err
		}
		for _, e := range res.Entries {
			base = cmp.Or(base, e.GetEqualFoldAttributeValue("defaultNamingContext"), e.GetEqualFoldAttributeValue("namingContexts"))
		}
		if base == "" {
			return errors.New("the server does not say where its tree begins: write the base behind its name, ldaps://host/dc=example,dc=com")
		}
		return nil
	})
	if err == nil {
		c.mu.Lock()
		c.base = base
		c.mu.Unlock()
	}
	return base, err
}

// bind tries a password; errWrong.
func (c *Client) bind(ctx context.Context, dn, password string) error {
	if dn == "" || password == "" { // anonymous, and unauthenticated: both would succeed
		return errWrong
	}
	return c.do(ctx, &c.binds, func(conn *ldap.Conn) error {
		err := conn.Bind(dn, password)
		if ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidCredentials, ldap.LDAPResultInappropriateAuthentication, ldap.LDAPResultNoSuchObject,
			ldap.LDAPResultConstraintViolation, ldap.LDAPResultUnwillingToPerform, ldap.LDAPResultInsufficientAccessRights) {
			return errWrong
		}
		return err
	})
}
