package admin

import (
	"context"
	"net/url"
	"strconv"

	"github.com/forepost/forepost/relay/mail"
)

// QueueList finds waiting messages, oldest first.
func (c *Client) QueueList(ctx context.Context, filter string, limit int) (es []QueueEntry, err error) {
	v := url.Values{"filter": {filter}, "limit": {strconv.Itoa(limit)}}
	return es, c.do(ctx, "GET", "/v1/queue?"+v.Encode(), nil, &es)
}

// QueueShow asks for one message.
func (c *Client) QueueShow(ctx context.Context, id mail.ID) (es []QueueEntry, err error) {
	return es, c.do(ctx, "GET", "/v1/queue/messages/"+url.PathEscape(string(id)), nil, &es)
}

// QueueText asks for a message's header, or all of it.
func (c *Client) QueueText(ctx context.Context, id mail.ID, body bool) (text []byte, err error) {
	v := url.Values{"body": {strconv.FormatBool(body)}}
	return text, c.do(ctx, "GET", "/v1/queue/messages/"+url.PathEscape(string(id))+"/text?"+v.Encode(), nil, &text)
}

// QueueAct does something to all that a filter chooses.
func (c *Client) QueueAct(ctx context.Context, o QueueOrder) (r QueueResult, err error) {
	return r, c.do(ctx, "POST", "/v1/queue/act", o, &r)
}

// QueueSummary asks for the queue in numbers.
func (c *Client) QueueSummary(ctx context.Context) (s QueueSummary, err error) {
	return s, c.do(ctx, "GET", "/v1/queue/summary", nil, &s)
}

// QueueShape asks for the queue by domain and age.
func (c *Client) QueueShape(ctx context.Context, filter string) (rows []ShapeRow, err error) {
	return rows, c.do(ctx, "GET", "/v1/queue/shape?"+url.Values{"filter": {filter}}.Encode(), nil, &rows)
}

// Pauses are the routes that are paused.
func (c *Client) Pauses(ctx context.Context) (ps []RoutePause, err error) {
	return ps, c.do(ctx, "GET", "/v1/routes/paused", nil, &ps)
}

// PauseRoute stops a route.
func (c *Client) PauseRoute(ctx context.Context, p RoutePause) error {
	return c.do(ctx, "POST", "/v1/routes/paused", p, nil)
}

// ResumeRoute lets a route go on.
func (c *Client) ResumeRoute(ctx context.Context, route string) error {
	return c.do(ctx, "DELETE", "/v1/routes/paused/"+url.PathEscape(route), nil, nil)
}

// TestRoute tries where an address goes.
func (c *Client) TestRoute(ctx context.Context, address string) (r RouteTest, err error) {
	return r, c.do(ctx, "POST", "/v1/routes/test", address, &r)
}
