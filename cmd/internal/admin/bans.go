package admin

import (
	"context"
	"net/http"
	"net/url"
	"time"
)

// Bans is the part of a Backend that keeps guessers of passwords out.
type Bans interface {
	// Bans are those in force, those that end first before the others.
	Bans(ctx context.Context) ([]Ban, error)
	// AddBan bans an address or its network for a time.
	AddBan(ctx context.Context, b NewBan) (Ban, error)
	RemoveBan(ctx context.Context, network string) error
}

// Ban is an address or a network whose logins are not looked at.
type Ban struct {
	Network string    `json:"network"`
	Since   time.Time `json:"since"`
	Until   time.Time `json:"until"`
	Why     string    `json:"why"`
}

// NewBan asks for one.
type NewBan struct {
	Network string        `json:"network"`
	For     time.Duration `json:"for_ns"`
	Why     string        `json:"why,omitempty"`
}

func bans(m *http.ServeMux, b Bans) {
	m.HandleFunc("GET /v1/bans", func(w http.ResponseWriter, r *http.Request) {
		list, err := b.Bans(r.Context())
		answer(w, list, err)
	})
	m.HandleFunc("POST /v1/bans", func(w http.ResponseWriter, r *http.Request) {
		call(w, r, func(n NewBan) (any, error) { return b.AddBan(r.Context(), n) })
	})
	m.HandleFunc("DELETE /v1/bans", func(w http.ResponseWriter, r *http.Request) {
		answer(w, struct{}{}, b.RemoveBan(r.Context(), r.FormValue("network")))
	})
}

// Bans lists the bans in force.
func (c *Client) Bans(ctx context.Context) (list []Ban, err error) {
	return list, c.do(ctx, "GET", "/v1/bans", nil, &list)
}

// AddBan bans an address or its network.
func (c *Client) AddBan(ctx context.Context, n NewBan) (b Ban, err error) {
	return b, c.do(ctx, "POST", "/v1/bans", n, &b)
}

// RemoveBan ends a ban.
func (c *Client) RemoveBan(ctx context.Context, network string) error {
	return c.do(ctx, "DELETE", "/v1/bans?"+url.Values{"network": {network}}.Encode(), nil, nil)
}
