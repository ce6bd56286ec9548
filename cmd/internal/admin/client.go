package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/report"
	"github.com/forepost/forepost/relay/trail"
)

// Errors of a Client that commands turn into exit codes.
var (
	ErrNotRunning = errors.New("the gateway cannot be reached: is it running?")
	ErrPermission = errors.New("not permitted to talk to the gateway: ask as root or as its user")
)

// Client calls the gateway behind a socket.
type Client struct {
	http   http.Client
	socket string
}

// Dial makes a client; it connects with each call.
func Dial(socket string) *Client {
	c := &Client{socket: socket}
	c.http.Transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}
	return c
}

// do calls, and decodes the answer into out.
func (c *Client) do(ctx context.Context, method, path string, in, out any) error {
	res, err := c.ask(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if out == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(out)
}

// ask calls. Where the gateway says no, that is the error.
func (c *Client) ask(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://forepost"+path, &body)
	if err != nil {
		return nil, err
	}
	res, err := c.http.Do(req)
	if errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("%w (%s)", ErrPermission, c.socket)
	}
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			return nil, fmt.Errorf("%w (%s)", ErrNotRunning, c.socket)
		}
		return nil, err
	}
	if res.StatusCode == http.StatusOK {
		return res, nil
	}
	defer res.Body.Close()
	var p problem
	if json.NewDecoder(res.Body).Decode(&p) != nil || p.Error == "" {
		p.Error = "the gateway answered " + strings.ToLower(res.Status)
	}
	return nil, errors.New(p.Error)
}

// Status asks for it.
func (c *Client) Status(ctx context.Context) (s Status, err error) {
	return s, c.do(ctx, "GET", "/v1/status", nil, &s)
}

// Reload makes the gateway read its configuration again.
func (c *Client) Reload(ctx context.Context, o ReloadOptions) (r ReloadResult, err error) {
	return r, c.do(ctx, "POST", "/v1/reload", o, &r)
}

// Explain asks for the story of a message, or those of a session.
func (c *Client) Explain(ctx context.Context, id mail.ID) (s []trail.Story, err error) {
	return s, c.do(ctx, "GET", "/v1/messages/"+url.PathEscape(string(id)), nil, &s)
}

// Trace searches the trail.
func (c *Client) Trace(ctx context.Context, q TraceQuery) (rs []trail.Record, err error) {
	return rs, c.do(ctx, "POST", "/v1/trace", q, &rs)
}

// Reports lists reports that came in, the latest first.
func (c *Client) Reports(ctx context.Context, q ReportsQuery) (list []report.Summary, err error) {
	return list, c.do(ctx, "POST", "/v1/reports", q, &list)
}

// Users lists the accounts.
func (c *Client) Users(ctx context.Context) (us []User, err error) {
	return us, c.do(ctx, "GET", "/v1/users", nil, &us)
}

// User is all that is known of an account.
func (c *Client) User(ctx context.Context, name string) (u UserDetail, err error) {
	return u, c.do(ctx, "GET", "/v1/users/"+url.PathEscape(name), nil, &u)
}

// AddUser makes an account.
func (c *Client) AddUser(ctx context.Context, u NewUser) error {
	return c.do(ctx, "POST", "/v1/users", u, nil)
}

// SetPassword changes an account's password.
func (c *Client) SetPassword(ctx context.Context, name, password string) error {
	return c.do(ctx, "PUT", "/v1/users/"+url.PathEscape(name)+"/password", password, nil)
}

// DisableUser stops an account from logging in, or lets it again.
func (c *Client) DisableUser(ctx context.Context, name string, disabled bool) error {
	return c.do(ctx, "PUT", "/v1/users/"+url.PathEscape(name)+"/disabled", disabled, nil)
}

// LimitUser changes how much an account may send.
func (c *Client) LimitUser(ctx context.Context, name string, l UserLimit) error {
	return c.do(ctx, "PUT", "/v1/users/"+url.PathEscape(name)+"/limit", l, nil)
}

// RemoveUser removes an account's login; its mail stays.
func (c *Client) RemoveUser(ctx context.Context, name string) error {
	return c.do(ctx, "DELETE", "/v1/users/"+url.PathEscape(name), nil, nil)
}
