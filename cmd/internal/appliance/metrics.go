package appliance

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"github.com/forepost/forepost/cmd/internal/admin"
	"github.com/forepost/forepost/policies"
	"github.com/forepost/forepost/relay/meter"
)

// metricsDoor serves /metrics.
func metricsDoor(e policies.Endpoint) *server {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", meter.Handler())
	srv := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	address := e.Address
	if e.Socket != "" {
		address = "unix:" + e.Socket
	}
	return &server{
		Endpoint: admin.Endpoint{Kind: "metrics", Address: address}, spec: spec(e),
		serve: func(l net.Listener) error {
			if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				return err
			}
			return nil
		},
		shutdown: func(ctx context.Context) error { return srv.Shutdown(ctx) },
	}
}
