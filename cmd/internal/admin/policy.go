package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/policies/replay"
	"github.com/forepost/forepost/relay/trail"
)

// Policy is what the gateway does with policies beside judging by them.
type Policy interface {
	// Replay judges what the trail has of a time by another configuration.
	Replay(ctx context.Context, q ReplayQuery) (PolicyAnswer, error)
	// Today judges one message again by the policy in force: "would be the same".
	Today(ctx context.Context, r *trail.Record) string
	// Running is the configuration in force.
	Running() *policies.Bundle
	// Rollback goes back to the configuration that was in force before.
	Rollback(ctx context.Context) (PolicyAnswer, error)

	// ShadowStart tries a configuration on live mail, in place of an earlier one.
	ShadowStart(ctx context.Context, b *policies.Bundle) (PolicyAnswer, error)
	ShadowStop(ctx context.Context) error
	// ShadowReport is what came of it; an error where nothing is on trial.
	ShadowReport(ctx context.Context) (PolicyAnswer, error)

	// Follow calls f for records as they are written, until ctx ends.
	Follow(ctx context.Context, q TraceQuery, f func(*trail.Record) error) error
}

// ReplayQuery asks for a replay.
type ReplayQuery struct {
	Bundle *policies.Bundle `json:"bundle"`
	Since  time.Duration    `json:"since"`           // ago
	Until  time.Duration    `json:"until,omitempty"` // ago
	Bodies bool             `json:"bodies,omitempty"`
}

// PolicyAnswer is what came of a question about a policy.
type PolicyAnswer struct {
	Report      *replay.Report `json:"report,omitempty"`
	Diagnostics string         `json:"diagnostics,omitempty"` // of a configuration that has errors
	Said        string         `json:"said,omitempty"`        // in words
	Started     time.Time      `json:"started,omitzero"`      // of a trial
	Spent       time.Duration  `json:"spent,omitempty"`       // on a trial
}

// ReloadOptions of a reload.
type ReloadOptions struct {
	NoTest bool `json:"no_test,omitempty"` // the tests beside the configuration are not run
}

func policyCalls(m *http.ServeMux, b Backend) {
	m.HandleFunc("POST /v1/policy/replay", func(w http.ResponseWriter, r *http.Request) {
		large(w, r, func(q ReplayQuery) (any, error) { return b.Replay(r.Context(), q) })
	})
	m.HandleFunc("GET /v1/policy", func(w http.ResponseWriter, r *http.Request) { answer(w, b.Running(), nil) })
	m.HandleFunc("POST /v1/policy/today", func(w http.ResponseWriter, r *http.Request) {
		call(w, r, func(q TraceQuery) (any, error) { return today(r.Context(), b, q.Text) })
	})
	m.HandleFunc("POST /v1/policy/rollback", func(w http.ResponseWriter, r *http.Request) {
		a, err := b.Rollback(r.Context())
		answer(w, a, err)
	})
	m.HandleFunc("POST /v1/policy/shadow", func(w http.ResponseWriter, r *http.Request) {
		large(w, r, func(q *policies.Bundle) (any, error) { return b.ShadowStart(r.Context(), q) })
	})
	m.HandleFunc("DELETE /v1/policy/shadow", func(w http.ResponseWriter, r *http.Request) {
		answer(w, struct{}{}, b.ShadowStop(r.Context()))
	})
	m.HandleFunc("GET /v1/policy/shadow", func(w http.ResponseWriter, r *http.Request) {
		a, err := b.ShadowReport(r.Context())
		answer(w, a, err)
	})
	m.HandleFunc("POST /v1/trace/follow", func(w http.ResponseWriter, r *http.Request) { follow(w, r, b) })
}

// maxBundle bounds a configuration that is sent, lists included.
const maxBundle = 256 << 20

func large[T any](w http.ResponseWriter, r *http.Request, f func(T) (any, error)) {
	var in T
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBundle)).Decode(&in); err != nil {
		answer(w, nil, fmt.Errorf("the request is not understood: %w", err))
		return
	}
	out, err := f(in)
	answer(w, out, err)
}

// today judges a message again, by its ID.
func today(ctx context.Context, b Backend, id string) (PolicyAnswer, error) {
	found, err := b.Trace(TraceQuery{Text: id, Limit: 1})
	if err != nil || len(found) == 0 {
		return PolicyAnswer{}, err
	}
	return PolicyAnswer{Said: b.Today(ctx, &found[0])}, nil
}

// follow writes one object a line until the caller goes.
func follow(w http.ResponseWriter, r *http.Request, b Backend) {
	var q TraceQuery
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&q); err != nil {
		answer(w, nil, fmt.Errorf("the request is not understood: %w", err))
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.WriteHeader(http.StatusOK)
	out := http.NewResponseController(w)
	out.Flush() // who follows knows that it is followed
	enc := json.NewEncoder(w)
	b.Follow(r.Context(), q, func(rec *trail.Record) error { // the caller has gone: nothing to be told
		if err := enc.Encode(rec); err != nil {
			return err
		}
		return out.Flush()
	})
}
