package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/forepost/forepost/relay/mail"
)

// Server answers on the control socket.
type Server struct {
	http *http.Server
	ln   net.Listener
}

// Listen makes the socket, replacing one that no process answers on.
func Listen(path string, b Backend) (*Server, error) {
	if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
		c.Close()
		return nil, fmt.Errorf("control socket %s: another Forepost answers there", path)
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	ln, err := net.Listen("unix", path)
	if err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	if err := os.Chmod(path, 0o660); err != nil {
		ln.Close()
		return nil, fmt.Errorf("control socket: %w", err)
	}
	return &Server{http: &http.Server{Handler: handler(b), ReadHeaderTimeout: 10 * time.Second}, ln: ln}, nil
}

// Serve answers until Close.
func (s *Server) Serve() error {
	if err := s.http.Serve(s.ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Close lets calls under way finish until ctx ends, and removes the socket.
func (s *Server) Close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if errors.Is(err, net.ErrClosed) {
		err = nil // it is what was asked for
	}
	if cerr := s.ln.Close(); !errors.Is(cerr, net.ErrClosed) { // where Serve never ran
		err = errors.Join(err, cerr)
	}
	return err
}

func handler(b Backend) http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /v1/status", func(w http.ResponseWriter, r *http.Request) { answer(w, b.Status(), nil) })
	m.HandleFunc("POST /v1/reload", func(w http.ResponseWriter, r *http.Request) {
		call(w, r, func(o ReloadOptions) (any, error) { return b.Reload(r.Context(), o), nil })
	})
	m.HandleFunc("GET /v1/messages/{id}", func(w http.ResponseWriter, r *http.Request) {
		id := mail.ID(r.PathValue("id"))
		if !id.Valid() {
			answer(w, nil, fmt.Errorf("%q is not an ID: they have 13 characters (a message) or 10 (a session)", id))
			return
		}
		s, err := b.Explain(id)
		answer(w, s, err)
	})
	m.HandleFunc("POST /v1/trace", func(w http.ResponseWriter, r *http.Request) {
		call(w, r, func(q TraceQuery) (any, error) { return b.Trace(q) })
	})
	m.HandleFunc("POST /v1/reports", func(w http.ResponseWriter, r *http.Request) {
		call(w, r, func(q ReportsQuery) (any, error) { return b.Reports(r.Context(), q) })
	})
	users(m, b)
	policyCalls(m, b)
	queue(m, b)
	routes(m, b)
	bans(m, b)
	quarantine(m, b)
	return m
}

func users(m *http.ServeMux, b Backend) {
	m.HandleFunc("GET /v1/users", func(w http.ResponseWriter, r *http.Request) { answer(w, b.Users(), nil) })
	m.HandleFunc("POST /v1/users", func(w http.ResponseWriter, r *http.Request) {
		call(w, r, func(u NewUser) (any, error) { return struct{}{}, b.AddUser(r.Context(), u) })
	})
	m.HandleFunc("GET /v1/users/{name}", func(w http.ResponseWriter, r *http.Request) {
		u, err := b.User(r.Context(), r.PathValue("name"))
		answer(w, u, err)
	})
	m.HandleFunc("PUT /v1/users/{name}/password", func(w http.ResponseWriter, r *http.Request) {
		call(w, r, func(p string) (any, error) { return struct{}{}, b.SetPassword(r.Context(), r.PathValue("name"), p) })
	})
	m.HandleFunc("PUT /v1/users/{name}/disabled", func(w http.ResponseWriter, r *http.Request) {
		call(w, r, func(d bool) (any, error) { return struct{}{}, b.DisableUser(r.Context(), r.PathValue("name"), d) })
	})
	m.HandleFunc("PUT /v1/users/{name}/limit", func(w http.ResponseWriter, r *http.Request) {
		call(w, r, func(l UserLimit) (any, error) { return struct{}{}, b.LimitUser(r.Context(), r.PathValue("name"), l) })
	})
	m.HandleFunc("DELETE /v1/users/{name}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, struct{}{}, b.RemoveUser(r.Context(), r.PathValue("name")))
	})
}

// call decodes the body of a request and answers with what f says.
func call[T any](w http.ResponseWriter, r *http.Request, f func(T) (any, error)) {
	var in T
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&in); err != nil {
		answer(w, nil, fmt.Errorf("the request is not understood: %w", err))
		return
	}
	out, err := f(in)
	answer(w, out, err)
}

type problem struct {
	Error string `json:"error"`
}

func answer(w http.ResponseWriter, v any, err error) {
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.WriteHeader(http.StatusUnprocessableEntity)
		v = problem{err.Error()}
	}
	json.NewEncoder(w).Encode(v) // the caller may be gone: nothing to be done about it
}
