package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/mail"
	"github.com/forepost/forepost/relay/trail"
)

// Replay judges what the trail has of a time by another configuration.
func (c *Client) Replay(ctx context.Context, q ReplayQuery) (a PolicyAnswer, err error) {
	return a, c.do(ctx, "POST", "/v1/policy/replay", q, &a)
}

// Today tells what the policy in force would make of a message.
func (c *Client) Today(ctx context.Context, id mail.ID) (string, error) {
	var a PolicyAnswer
	err := c.do(ctx, "POST", "/v1/policy/today", TraceQuery{Text: string(id)}, &a)
	return a.Said, err
}

// Running is the configuration in force.
func (c *Client) Running(ctx context.Context) (b *policies.Bundle, err error) {
	return b, c.do(ctx, "GET", "/v1/policy", nil, &b)
}

// Rollback goes back to the configuration that was in force before.
func (c *Client) Rollback(ctx context.Context) (a PolicyAnswer, err error) {
	return a, c.do(ctx, "POST", "/v1/policy/rollback", nil, &a)
}

// ShadowStart tries a configuration on live mail.
func (c *Client) ShadowStart(ctx context.Context, b *policies.Bundle) (a PolicyAnswer, err error) {
	return a, c.do(ctx, "POST", "/v1/policy/shadow", b, &a)
}

// ShadowStop ends the trial.
func (c *Client) ShadowStop(ctx context.Context) error {
	return c.do(ctx, "DELETE", "/v1/policy/shadow", nil, nil)
}

// ShadowReport is what came of it so far.
func (c *Client) ShadowReport(ctx context.Context) (a PolicyAnswer, err error) {
	return a, c.do(ctx, "GET", "/v1/policy/shadow", nil, &a)
}

// Follow calls f for records as they are written, until ctx ends or f fails.
func (c *Client) Follow(ctx context.Context, q TraceQuery, f func(*trail.Record) error) error {
	res, err := c.ask(ctx, "POST", "/v1/trace/follow", q)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	dec := json.NewDecoder(res.Body)
	for {
		var r trail.Record
		if err := dec.Decode(&r); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			if errors.Is(err, io.EOF) {
				return fmt.Errorf("%w: it has stopped", ErrNotRunning)
			}
			return err
		}
		if err := f(&r); err != nil {
			return err
		}
	}
}
